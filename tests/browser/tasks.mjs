// What each row of PAGES.md does. A task gets a page with a session and what the product holds; it throws where
// something is not as it must be. Nothing here waits for a time: playwright waits for what is named.
import assert from "node:assert/strict";

const has = async (page, text) => page.getByText(text, { exact: false }).first().waitFor();
const click = async (page, name, role = "link") => page.getByRole(role, { name }).first().click();
const rows = (page, list) => page.locator(`#list-${list} tbody tr`);

const operate = async (page, action, why) => {
  await page.locator(".acts").getByRole("link", { name: action }).click();
  await page.getByLabel("Reason", { exact: true }).fill(why);
  await page.getByRole("button", { name: action }).click();
  await page.waitForURL(/\/operations\//);
  for (let tries = 0; !(await page.getByText("done", { exact: true }).count()); tries += 1) {
    assert.ok(tries < 200, "the operation ends");
    await page.reload();
  }
};

export const tasks = {
  "see that everything answers, and follow what needs attention to the quarantine": async (page) => {
    await page.goto("/");
    assert.equal(await page.locator(".stands .badge.good").count(), 3);
    await click(page, "Show");
    await page.waitForURL(/\/quarantine\?state=waiting/);
    assert.ok((await rows(page, "deliveries").count()) > 0);
  },
  "sort the lines by reason, and take them along as CSV": async (page) => {
    await page.goto("/");
    await page.locator("#list-reasons thead").getByRole("link", { name: "Lines" }).click();
    await page.locator('#list-reasons th[aria-sort="ascending"]').waitFor();
    const counts = await rows(page, "reasons").locator("td.n").allInnerTexts();
    const numbers = counts.map((text) => Number(text.replaceAll(",", "")));
    assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b));
    const download = page.waitForEvent("download");
    await page.locator("#list-reasons").getByRole("link", { name: /^CSV/ }).click();
    assert.equal((await download).suggestedFilename(), "reasons.csv");
  },
  "read the site in Dutch, and back in English": async (page) => {
    await page.goto("/reasons");
    await click(page, "Nederlands");
    await page.getByRole("heading", { name: "Redenen" }).waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "nl");
    await click(page, "Overzicht");
    await has(page, "Beslissingen");
    await click(page, "English");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
  },
  "go to older declarations and back to the newest": async (page) => {
    await page.goto("/declarations?limit=10");
    const newest = await rows(page, "declarations").first().innerText();
    await click(page, "Next page");
    await page.waitForURL(/cursor=/);
    assert.notEqual(await rows(page, "declarations").first().innerText(), newest);
    await click(page, "First page");
    await page.waitForURL((url) => !url.searchParams.has("cursor"));
    assert.equal(await rows(page, "declarations").first().innerText(), newest);
  },
  "find a declaration by its message id": async (page, { accepted }) => {
    await page.goto("/declarations");
    await page.getByLabel("Message id").first().fill(accepted.toUpperCase());
    await page.getByRole("button", { name: "Find" }).click();
    await page.waitForURL(`**/declarations/${accepted}`);
  },
  "follow a declaration to its claims, and from its evidence to the rival": async (page, { accepted, excluded }) => {
    await page.goto(`/declarations/${accepted}`);
    assert.ok((await rows(page, "claims").count()) > 0);
    await page.goto(`/declarations/${excluded}`);
    await page.locator(".evidence a").first().click();
    await page.waitForURL(/\/declarations\?cursor=/);
    assert.equal(await rows(page, "declarations").count(), 1);
  },
  "replay everything of a filtered group, with preview and reason, and see that it was done": async (page) => {
    await page.goto("/quarantine?state=waiting");
    const waiting = await rows(page, "deliveries").count();
    await page.getByLabel("Text", { exact: true }).fill("replayed-");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/text=replayed-/);
    const matched = await rows(page, "deliveries").count();
    assert.ok(matched > 1 && matched < waiting, `${matched} of ${waiting}`);
    await operate(page, "Replay", "the sender mended its system");
    assert.equal(await page.locator("tbody td.n").nth(1).innerText(), String(matched));
    await page.goto("/quarantine?text=replayed-");
    for (let tries = 0; (await page.locator(".badge", { hasText: "waiting" }).count()) < matched; tries += 1) {
      assert.ok(tries < 200, "what is still no declaration waits again");
      await page.reload();
    }
    const attempts = await rows(page, "deliveries").first().locator("td.n").innerText();
    assert.equal(attempts, "2", "earlier attempts are counted");
  },
  "park one delivery, and let it wait again": async (page) => {
    await page.goto("/quarantine?state=waiting&text=parked-");
    await rows(page, "deliveries").first().locator("th a").click();
    const address = page.url();
    await operate(page, "Park", "asked the sender");
    await page.goto(address);
    await has(page, "parked");
    await operate(page, "Let wait again", "the sender answered");
    await page.goto(address);
    assert.equal(await rows(page, "events").count(), 2);
  },
  "look at a masked body, and find the look in the log of operations": async (page, { bsn }) => {
    await page.goto("/quarantine?state=waiting&text=parked-");
    await rows(page, "deliveries").first().locator("th a").click();
    await page.getByLabel("Reason", { exact: true }).fill("the sender asks what it sent");
    await page.getByRole("button", { name: "Show the body" }).click();
    const body = await page.locator("pre").innerText();
    assert.ok(body.includes("•••••••••") && !body.includes(bsn), body);
    await click(page, "Operations");
    await has(page, "the sender asks what it sent");
  },
  "see who did what, and why": async (page) => {
    await page.goto("/operations");
    assert.ok((await rows(page, "operations").count()) >= 3);
    await rows(page, "operations").first().locator("th a").click();
    await page.getByRole("heading", { name: "Operation" }).waitFor();
  },
  "find a code by a word of its text": async (page) => {
    await page.goto("/reasons");
    await page.getByLabel("Search", { exact: true }).fill("0586");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/q=0586/);
    assert.equal(await rows(page, "reasons").count(), 1);
  },
};
