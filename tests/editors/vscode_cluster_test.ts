// F5 in a real VS Code with a pod of a real cluster as the target: it is picked from the list that F5 opens,
// a request of another pod hits the breakpoint, variables of the pod are seen, and the pod answers again.

import { registerCases } from "../support/cases.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { missingForEditor } from "../support/code_server.ts";
import { debug, EditorFolder } from "../support/editor_folder.ts";
import { binary } from "../support/program.ts";

const programs = [
  { name: "Node", file: "answers.mjs", line: 11 },
  { name: "Python", file: "answers.py", line: 17 },
];

registerCases<ClusterStage>(
  programs.map((program) => ({
    name: `${program.name}: F5 asks for the target, a breakpoint, stop`,
    async run(stage) {
      const { prefix, kubeconfig, namespace } = stage;
      const env = { KUBECONFIG: kubeconfig, MIRRORD_TARGET_NAMESPACE: namespace };
      await using editor = await EditorFolder.open({ binary, prefix, env });
      await editor.inWindow(`pod-${program.name.toLowerCase()}`, async (workbench) => {
        await workbench.menu("Turn on");
        await debug(workbench, stage, {
          ...program,
          path: "deployment/app",
          greeting: "from-the-pod",
          async start() {
            await workbench.item(/^app.*deployment/).waitFor();
            await workbench.picture("targets");
            await workbench.pick("app");
          },
        });
      });
    },
  })),
  () => ClusterStage.create(),
  await missingForEditor() ?? missingCluster,
);
