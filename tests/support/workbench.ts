// A user in front of VS Code: a page of Chromium with the workbench in it. Acts by keys and clicks, as a user
// does, and waits for what then stands on the screen. Each step can be kept as a picture in build/screens.
// Used by tests/editors.

import { type Browser, chromium, type Locator, type Page } from "playwright-core";

const screens = decodeURIComponent(new URL("../../build/screens/", import.meta.url).pathname);
/** How long anything may take to appear. */
const limitMs = 120_000;

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

export class Workbench implements AsyncDisposable {
  readonly page: Page;
  readonly #browser: Browser;
  readonly #name: string;
  #count = 0;

  private constructor(browser: Browser, page: Page, name: string) {
    this.#browser = browser;
    this.page = page;
    this.#name = name;
  }

  /** Opens `folder` of the editor at `url`; pictures begin with `name`, `browser` is Chromium's program. */
  static async open(
    url: string,
    { folder, name, browser: executablePath }: { folder: string; name: string; browser: string },
  ): Promise<Workbench> {
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
      page.setDefaultTimeout(limitMs);
      await page.goto(`${url}?folder=${encodeURIComponent(folder)}`);
      const workbench = new Workbench(browser, page, name);
      await workbench.statusBar(/^mirrord: /).waitFor();
      return workbench;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  /** The item of the status bar whose text fits. */
  statusBar(text: RegExp): Locator {
    return this.page.locator(".statusbar-item").filter({ hasText: text });
  }

  /** The line of an open list whose text fits. */
  item(text: RegExp): Locator {
    return this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: text }).first();
  }

  /**
   * Picks the line of the open list whose label is `label`, by keys: the hint for what the mouse rests on
   * covers other lines.
   */
  async pick(label: string): Promise<void> {
    await this.item(new RegExp(`^${escaped(label)}`)).waitFor();
    await this.page.locator(".quick-input-box input").fill(label);
    const focused = this.page.locator(".quick-input-list .monaco-list-row.focused");
    await focused.filter({ hasText: new RegExp(`^${escaped(label)}`) }).waitFor();
    await this.key("Enter");
  }

  /** Opens the menu of mirrord, and picks a line of it. */
  async menu(label: string): Promise<void> {
    await this.statusBar(/^mirrord: /).click();
    await this.pick(label);
  }

  async key(name: string): Promise<void> {
    await this.page.keyboard.press(name);
  }

  /** Rests with the mouse on the first word of the editor that is `text`. */
  async hover(text: string): Promise<void> {
    await this.page.locator(".view-line span span").filter({ hasText: text }).first().hover();
  }

  /** Starts the entry `name` of launch.json by the palette. */
  async start(name: string): Promise<void> {
    await this.key("F1");
    await this.page.locator(".quick-input-box input").fill(`debug ${name}`);
    await this.item(new RegExp(`^${name}`)).waitFor();
    await this.key("Enter");
  }

  /** Types into the question that is open. */
  async answer(text: string): Promise<void> {
    await this.page.locator(".quick-input-box input").fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** Runs a command of the palette by its whole title. */
  async command(title: string): Promise<void> {
    await this.key("F1");
    await this.page.locator(".quick-input-box input").fill(`>${title}`);
    await this.item(new RegExp(`^${escaped(title)}`)).waitFor();
    await this.key("Enter");
  }

  /** Opens a file of the folder at a line. */
  async openAt(file: string, line: number): Promise<void> {
    await this.page.keyboard.press("Control+P");
    const row = this.item(new RegExp(escaped(file)));
    await this.page.locator(".quick-input-box input").fill(`${file}:${line}`);
    await row.waitFor();
    await this.page.keyboard.press("Enter");
    await this.statusBar(new RegExp(`Ln ${line}\\b`)).waitFor();
  }

  /** Presses a button of the debugger: "continue", "stop". */
  async press(button: string): Promise<void> {
    await this.page.locator(`.debug-toolbar .codicon-debug-${button}`).click();
  }

  /** Waits until the debugger's program runs and is not stopped anywhere. */
  async running(): Promise<void> {
    await this.page.locator(".debug-toolbar .codicon-debug-pause").waitFor();
  }

  /** Waits for a line of the tree `kind` of the debugger ("variables", "call stack") that has `text`. */
  async debugLine(kind: "variables" | "call-stack", text: RegExp): Promise<string> {
    const row = this.page.locator(`.debug-${kind} .monaco-list-row`).filter({ hasText: text }).first();
    await row.waitFor();
    return await row.innerText();
  }

  /** Opens mirrord's view beside the debugger. */
  async openSessions(): Promise<void> {
    await this.page.mouse.move(640, 300); // the hint of what it rested on covers the line
    await this.page.locator(".pane-header").filter({ hasText: /^mirrord$/i }).click();
  }

  /** Waits for a line of that view. */
  async sessionsLine(text: RegExp): Promise<void> {
    const pane = this.page.locator(".pane").filter({ has: this.page.locator(".customview-tree") });
    await pane.locator(".monaco-list-row").filter({ hasText: text }).first().waitFor();
  }

  /** Keeps a picture of the screen. */
  async picture(what: string): Promise<void> {
    await Deno.mkdir(screens, { recursive: true });
    const number = String(++this.#count).padStart(2, "0");
    await this.page.screenshot({ path: `${screens}${this.#name}-${number}-${what}.png` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}
