// deno-lint-ignore-file no-console no-process-global no-undef
// Drives a browser through the page of `mirrord ui`, for ui_test.ts: argv is playwright's folder, the browser,
// the page's address and a folder for screenshots. Each step that is done is a line on standard output.

const [playwright, executablePath, address, folder] = process.argv.slice(2);
const { chromium } = require(playwright);

/** The text of the row that has `words`, once there is one. */
async function row(page, ...words) {
  let found = page.locator("#rows tbody tr");
  for (const word of words) found = found.filter({ hasText: word });
  await found.first().waitFor();
  return await found.first().innerText();
}

async function drive(page, problems) {
  await page.goto(address);
  await page.locator("#sessions button").waitFor();
  console.log("listed", await page.locator("#summary").innerText());
  await page.locator("#tabs button", { hasText: "Requests" }).click();
  const request = await row(page, "/cart?x=1", "200");
  console.log("request", request);
  await page.locator("#rows tbody tr", { hasText: "/cart?x=1" }).click();
  const shown = await page.locator("#shown").innerText();
  console.log("shown", shown);
  await page.screenshot({ path: `${folder}/requests.png` });
  for (
    const [tab, word] of [["Connections", "192.0.2.9:5432"], ["Names", "db.shop.test"], [
      "Files",
      "/data/shop.db",
    ]]
  ) {
    await page.locator("#tabs button", { hasText: tab }).click();
    console.log(tab, await row(page, word));
    await page.screenshot({ path: `${folder}/${tab.toLowerCase()}.png` });
  }
  await page.locator("#words").fill("hostname");
  await page.waitForFunction(() => document.querySelectorAll("#rows tbody tr").length === 1);
  console.log("filtered", await row(page, "hostname-of-the-target"));
  console.log("cookies", await page.evaluate(() => document.cookie), page.url());
  await page.reload();
  await page.locator("#sessions button").waitFor();
  console.log("reloaded", await page.locator("#state").innerText());
  page.on("dialog", (dialog) => dialog.accept());
  await page.locator("#summary button", { hasText: "Stop" }).click();
  await page.locator("#sessions small", { hasText: "ended" }).waitFor();
  console.log("ended");
  const stranger = await page.context().browser().newContext();
  const other = await stranger.newPage();
  await other.goto(address);
  await other.locator("#state", { hasText: "used already" }).waitFor();
  console.log("stranger", await other.locator("#sessions button").count());
  console.log("problems", JSON.stringify(problems));
}

(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const problems = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(String(error)));
    await drive(page, problems);
  } finally {
    await browser.close();
  }
})().catch((error) => {
  console.log("failed", error.stack);
  process.exit(1);
});
