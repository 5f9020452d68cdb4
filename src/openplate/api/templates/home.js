"use strict";
const $ = (id) => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function shape(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

let shown = [];

function drawBoxes(results) {
  shown = results;
  const image = $("image");
  const pixel = image.naturalWidth / image.clientWidth || 1; // of the screen, in those of the picture
  const svg = $("boxes");
  svg.setAttribute("viewBox", `0 0 ${image.naturalWidth} ${image.naturalHeight}`);
  svg.replaceChildren(...results.flatMap(({ box, plate }) => {
    const [width, height] = [box.xmax - box.xmin, box.ymax - box.ymin];
    const above = box.ymin > 22 * pixel;
    return [
      shape("rect", { x: box.xmin, y: box.ymin, width, height }),
      shape("text", {
        x: (box.xmin + box.xmax) / 2,
        y: above ? box.ymin - 6 * pixel : box.ymax + 16 * pixel,
        "font-size": 14 * pixel,
        "stroke-width": 4 * pixel,
      }, plate.toUpperCase()),
    ];
  }));
}

function showRows(results) {
  $("rows").replaceChildren(...results.map((result) => {
    const row = element("tr");
    row.append(
      element("td", result.plate, "plate"),
      element("td", `${(100 * result.score).toFixed(1)} %`),
      element("td", result.region.code),
      element("td", result.vehicle.type),
    );
    return row;
  }));
}

function show(file, answer) {
  showRows(answer.results);
  drawBoxes(answer.results);
  $("result").hidden = false;
  $("json").textContent = JSON.stringify(answer, null, 2);
  const count = answer.results.length;
  const plates = count === 0 ? "no plate found" : count === 1 ? "one plate" : `${count} plates`;
  $("status").textContent = `${file.name}: ${plates}, ${Math.round(answer.processing_time)} ms.`;
}

async function recognize(file) {
  $("status").textContent = "Looking…";
  $("result").hidden = true;
  drawBoxes([]);
  URL.revokeObjectURL($("image").src);
  $("image").src = URL.createObjectURL(file);
  const form = new FormData();
  form.append("upload", file);
  const headers = {};
  if ($("token") && $("token").value) headers.Authorization = `Token ${$("token").value.trim()}`;
  try {
    await $("image").decode().catch(() => undefined);
    const response = await fetch("v1/plate-reader/", { method: "POST", body: form, headers });
    const answer = await response.json();
    if (response.ok) show(file, answer);
    else $("status").textContent = `${response.status}: ${answer.detail}`;
  } catch (error) {
    $("status").textContent = `The server did not answer: ${error.message}`;
  }
}

$("file").addEventListener("change", (event) => {
  const file = event.target.files[0];
  event.target.value = ""; // so that the same picture can be chosen again
  if (file) recognize(file);
});
addEventListener("resize", () => drawBoxes(shown));
$("drop").addEventListener("dragover", (event) => { event.preventDefault(); $("drop").classList.add("over"); });
$("drop").addEventListener("dragleave", () => $("drop").classList.remove("over"));
$("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  if (event.dataTransfer.files[0]) recognize(event.dataTransfer.files[0]);
});
$("curl").textContent = $("curl").textContent.replace("SERVER", location.href.split(/[?#]/)[0].replace(/\/$/, ""));
