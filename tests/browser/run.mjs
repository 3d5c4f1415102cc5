// Does every task of PAGES.md in headless Chromium, and looks at every page at three widths, in light and dark.
//   node run.mjs LINK PAGES_DIRECTORY FACTS_AS_JSON
// Finds playwright-core and axe-core in TEST_BROWSER_MODULES, and Chromium as TEST_CHROMIUM.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { tasks } from "./tasks.mjs";

const [link, directory, facts] = process.argv.slice(2);
const known = JSON.parse(facts);
const modules = createRequire(join(process.env.TEST_BROWSER_MODULES, "node_modules", "x.js"));
const { chromium } = modules("playwright-core");
const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");

const WIDTHS = [360, 800, 1440];
const SERIOUS = ["serious", "critical"];
const problems = [];

// Rows of PAGES.md, which name every task once.
const text = readFileSync(new URL("PAGES.md", import.meta.url), "utf8");
const table = text.split("\n").filter((line) => line.startsWith("| `"));
const named = table.map((line) => line.split("|")[3].trim());
for (const task of named) if (!(task in tasks)) problems.push(`PAGES.md names a task that is not done: ${task}`);
for (const task in tasks) if (!named.includes(task)) problems.push(`PAGES.md does not name the task: ${task}`);

const browser = await chromium.launch({ executablePath: process.env.TEST_CHROMIUM, args: ["--no-sandbox"] });
const base = new URL(link).origin;
const context = await browser.newContext({ baseURL: base, locale: "en-GB", timezoneId: "Europe/Amsterdam" });
context.setDefaultTimeout(20_000);
const watched = async (of = context) => {
  const page = await of.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`${page.url()}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`${page.url()}: ${error}`));
  return page;
};

const opening = await watched();
await opening.goto(link);
await opening.close();

// A page of a second person, who has a browser of their own.
const other = await browser.newContext({ baseURL: base, locale: "en-GB", timezoneId: "Europe/Amsterdam" });
other.setDefaultTimeout(20_000);
const entering = await other.newPage();
await entering.goto(known.second);
await entering.close();
known.secondPage = () => watched(other);

for (const task of named.filter((task) => task in tasks)) {
  const page = await watched();
  try {
    await tasks[task](page, known);
    console.log(`done: ${task}`);
  } catch (error) {
    problems.push(`${task}: at ${page.url()}: ${error.message.split("\n").slice(0, 6).join(" ")}`);
  }
  await page.close();
}

// Every page, with what the tasks left behind.
const pages = {
  overview: "/",
  declarations: "/declarations?limit=20",
  declaration: `/declarations/${known.accepted}`,
  reviews: "/reviews",
  review: null,
  bulk: "/reviews/act?choice=refuse",
  evidence: `/declarations/${known.excluded}`,
  quarantine: "/quarantine?limit=20",
  delivery: null,
  preview: "/quarantine/act?action=replay",
  queues: "/queues",
  parked: "/parked",
  subscribers: "/subscribers",
  reference: "/reference?limit=10",
  contracts: "/contracts?limit=10",
  versions: null,
  operations: "/operations",
  reasons: "/reasons?limit=20",
  failure: null,
};
mkdirSync(directory, { recursive: true });
const page = await watched();
await page.goto("/reviews");
pages.review = await page.locator("#list-held tbody th a").first().getAttribute("href");
await page.goto("/versions");
pages.versions = await page.locator("#list-versions tbody a").first().getAttribute("href");
await page.goto("/quarantine");
pages.delivery = await page.locator("#list-deliveries tbody th a").first().getAttribute("href");
let looked = 0;
for (const [name, path] of Object.entries(pages)) {
  if (path === null) continue;
  for (const language of ["en", "nl"]) {
    await page.goto(`/language?to=${language}&back=${encodeURIComponent(path)}`);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
      if (wide) problems.push(`${name} scrolls sideways at ${width} (${language})`);
      for (const scheme of width === 1440 ? ["light", "dark"] : ["light"]) {
        await page.emulateMedia({ colorScheme: scheme });
        const file = `${name}-${language}-${width}-${scheme}.png`;
        await page.screenshot({ path: join(directory, file), fullPage: true });
        looked += 1;
        if (width === 800) continue;
        // The page allows no script of ours either: axe runs in the world of the driver.
        const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
        for (const violation of found.violations.filter((it) => SERIOUS.includes(it.impact))) {
          const where = violation.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ");
          problems.push(`${file}: axe ${violation.id}: ${violation.help}: ${where}`);
        }
      }
    }
  }
}
await browser.close();
console.log(`${named.length} tasks, ${looked} pictures in ${directory}`);
for (const problem of problems) console.error(`problem: ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);
