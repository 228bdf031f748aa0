// The two links by name: session ↔ agent, and layer ↔ session.

import type { agentMessages } from "../messages/agent_messages.ts";
import type { layerMessages } from "../messages/layer_messages.ts";
import type { Received } from "./inbox.ts";
import type { Link } from "./link.ts";

export type AgentLink = Link<typeof agentMessages>;
export type AgentFrame = Received<typeof agentMessages>;
export type LayerLink = Link<typeof layerMessages>;
export type LayerFrame = Received<typeof layerMessages>;
