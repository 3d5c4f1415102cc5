// What each row of PAGES.md does. A task gets a page with a session and what the product holds; it throws where
// something is not as it must be. Nothing here waits for a time: playwright waits for what is named.
import assert from "node:assert/strict";

const has = async (page, text) => page.getByText(text, { exact: false }).first().waitFor();
const click = async (page, name, role = "link") => page.getByRole(role, { name }).first().click();
const rows = (page, list) => page.locator(`#list-${list} tbody tr`);

const openHeld = async (page, reference) => {
  await page.goto("/reviews");
  await rows(page, "held").filter({ hasText: reference }).locator("th a").click();
  await page.getByRole("heading", { name: reference }).first().waitFor();
};

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
  "follow the figures live, and pause them": async (page) => {
    await page.goto("/");
    await click(page, "Follow live");
    await page.waitForURL(/live=on/);
    // By itself: the clock of a product that plays scenarios stands still, so its figures need not change.
    await page.waitForEvent("load");
    assert.match(page.url(), /live=on/);
    await click(page, "Pause");
    await page.waitForURL((url) => !url.searchParams.has("live"));
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
  "find a declaration by its message id, a line, an invoice and a claim": async (page, { accepted }) => {
    await page.goto("/declarations");
    const find = async (text) => {
      await page.locator("#find").fill(text);
      await page.getByRole("button", { name: "Find", exact: true }).click();
    };
    await find(accepted.toUpperCase());
    await page.waitForURL(`**/declarations/${accepted}`);
    const twin = await (await page.request.get(`/declarations/${accepted}.json`)).json();
    for (const text of [twin.lines[0].reference, twin.invoice_number, twin.claims.rows[0].claim_id]) {
      await find(text);
      await page.waitForURL(/find=/);
      await page.locator(`#list-declarations a[href="/declarations/${accepted}"]`).waitFor();
      await page.goto("/declarations");
    }
  },
  "see who decided a line, and why, in the timeline": async (page) => {
    await page.goto("/declarations?line=S77-R1");
    await rows(page, "declarations").first().locator("th a").click();
    await has(page, "Decided by a person");
    await has(page, "Verslagen bekeken");
    await has(page, "agreed by B. Bakker");
  },
  "look at a held line beside its rival, with the rule and what it rests on": async (page) => {
    await openHeld(page, "S35-R1");
    await has(page, "bdss-oeni-candidate");
    assert.equal(await page.locator(".sides .card").count(), 2);
    await has(page, "S35-R3");
    await has(page, "002_eb0531d2b212ba40.txt");
  },
  "accept a held line above the amount, and see that it waits for a second person": async (page) => {
    await openHeld(page, "S42-R1");
    await page.getByLabel("Reason", { exact: true }).fill("the individual meetings were declared apart");
    await page.getByRole("button", { name: "Accept", exact: true }).click();
    await page.getByRole("heading", { name: "Waits for a second person" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Agree" }).count(), 0, "nobody agrees with themselves");
  },
  "agree to what another person proposed, and see it carried out": async (page, { secondPage }) => {
    const theirs = await secondPage();
    await theirs.goto("/reviews");
    await rows(theirs, "proposals").filter({ hasText: "S42-R1" }).locator("th a").click();
    await has(theirs, "the individual meetings were declared apart");
    await theirs.getByLabel("Reason", { exact: true }).fill("I have seen the reports as well");
    await theirs.getByRole("button", { name: "Agree", exact: true }).click();
    await has(theirs, "Carried out: accept");
    await theirs.close();
    await page.goto("/declarations?line=S42-R1");
    await rows(page, "declarations").first().locator("th a").click();
    await has(page, "agreed by B. Bakker");
  },
  "override an exclusion where the rule allows it, or be told that it may not be": async (page) => {
    await openHeld(page, "S75-R75");
    await page.getByLabel("Pay although a rule excludes it").check();
    await page.getByLabel("Reason", { exact: true }).fill("the earlier cooperation was another one");
    await page.getByRole("button", { name: "Accept", exact: true }).click();
    await has(page, "Carried out: accept");
  },
  "refuse everything that a filter matches, with preview and reason": async (page) => {
    await page.goto("/reviews?rule=bdss-adz-candidate");
    const matched = await rows(page, "held").count();
    assert.ok(matched > 0);
    await operate(page, "Refuse", "the same patients were discussed");
    assert.equal(await page.locator("tbody td.n").nth(1).innerText(), String(matched));
    await page.goto("/reviews?rule=bdss-adz-candidate");
    await has(page, "No held line matches.");
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
  "see what waits in each queue, and where the figure comes from": async (page) => {
    await page.goto("/queues");
    await rows(page, "queues").filter({ hasText: "declarations" }).filter({ hasText: "queue.db" }).waitFor();
    assert.ok((await rows(page, "stages").count()) >= 6);
    await rows(page, "troubles").filter({ hasText: "validation" }).locator("a").click();
    await page.waitForURL(/\/quarantine\?state=waiting&stage=validation/);
  },
  "see that no claim and no outcome is stuck": async (page) => {
    await page.goto("/parked");
    await has(page, "Settlement took every claim.");
    await has(page, "Every outcome was taken.");
    assert.equal(await page.getByRole("button", { name: "Send again" }).count(), 0, "nothing is offered");
  },
  "see which subscriber is behind, and since when": async (page) => {
    await page.goto("/subscribers?sort=-lag");
    const lags = await rows(page, "subscribers").locator("td.n:nth-of-type(3)").allInnerTexts();
    assert.ok(lags.length > 0 && (await rows(page, "streams").count()) > 0);
  },
  "find the rule that holds a line, with its source": async (page) => {
    await page.goto("/reference");
    await page.locator("#list-pair_rules").getByLabel("Search").fill("bdss-oeni-candidate");
    await page.locator("#list-pair_rules").getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/q=bdss-oeni-candidate/);
    assert.equal(await rows(page, "pair_rules").count(), 1);
    await has(page, "002_eb0531d2b212ba40.txt");
  },
  "find a contract by the group that it is for": async (page) => {
    await page.goto("/contracts");
    await page.getByLabel("Search", { exact: true }).fill("S76-G1");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/q=S76-G1/);
    assert.ok((await rows(page, "contracts").count()) > 0);
  },
  "see what a version of the reference data changed": async (page) => {
    await page.goto("/versions");
    await click(page, "what it changed");
    await page.locator("#list-changes").waitFor();
    assert.ok((await rows(page, "changes").count()) > 0);
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
