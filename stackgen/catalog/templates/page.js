"use strict";
// Without it all is there to be read; with it the overview can be searched, and commands copied.
const each = (selector, action) => document.querySelectorAll(selector).forEach(action);
const words = (text) => text.toLowerCase().split(/\s+/u).filter(Boolean);

function overview(form) {
  const search = form.querySelector("#search");
  const choices = [...form.querySelectorAll("select")];
  const items = [...document.querySelectorAll(".item")];
  const texts = items.map((item) => `${item.textContent} ${item.dataset.packages ?? ""}`.toLowerCase());
  const count = document.querySelector("#count");
  const none = document.querySelector(".none");
  const asked = (choice) => choice.value;
  const fits = (item, text, wanted) =>
    wanted.every((word) => text.includes(word)) &&
    choices.filter(asked).every((choice) => item.dataset[choice.dataset.key].split(" ").includes(choice.value));
  const show = () => {
    const wanted = words(search.value);
    let shown = 0;
    items.forEach((item, place) => {
      item.hidden = !fits(item, texts[place], wanted);
      shown += item.hidden ? 0 : 1;
    });
    const narrowed = wanted.length > 0 || choices.some(asked);
    count.parentElement.hidden = !narrowed;
    count.textContent = narrowed ? `${shown} of ${items.length} fit` : "";
    none.hidden = shown > 0;
  };
  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
}

function packages(field) {
  const input = field.querySelector("input");
  const rows = [...document.querySelectorAll("#package-table tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  field.hidden = false;
  input.addEventListener("input", () => {
    const wanted = words(input.value);
    rows.forEach((row, place) => (row.hidden = !wanted.every((word) => texts[place].includes(word))));
  });
}

function copying(button) {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const told = await navigator.clipboard
      .writeText(button.parentElement.querySelector("code").textContent)
      .then(() => "Copied", () => "Not copied");
    button.textContent = told;
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}

each("form.filters", overview);
each(".narrow", packages);
each(".copy", copying);
