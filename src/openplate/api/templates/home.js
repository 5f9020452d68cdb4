"use strict";
const $ = (id) => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function drawBoxes(results) {
  const image = $("image");
  const svg = $("boxes");
  svg.setAttribute("viewBox", `0 0 ${image.naturalWidth} ${image.naturalHeight}`);
  svg.replaceChildren(...results.map(({ box }) => {
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    rect.setAttribute("x", box.xmin);
    rect.setAttribute("y", box.ymin);
    rect.setAttribute("width", box.xmax - box.xmin);
    rect.setAttribute("height", box.ymax - box.ymin);
    return rect;
  }));
}

function showRows(results) {
  $("rows").replaceChildren(...results.map((result) => {
    const row = element("tr");
    row.append(
      element("td", result.plate, "plate"),
      element("td", `${Math.round(100 * result.score)} %`),
      element("td", result.region.code),
      element("td", result.vehicle.type),
    );
    return row;
  }));
}

function show(answer) {
  showRows(answer.results);
  drawBoxes(answer.results);
  $("result").hidden = false;
  $("json").textContent = JSON.stringify(answer, null, 2);
  const count = answer.results.length;
  const plates = count === 0 ? "No plate found" : count === 1 ? "One plate" : `${count} plates`;
  $("status").textContent = `${plates}, ${Math.round(answer.processing_time)} ms.`;
}

async function recognize(file) {
  $("status").textContent = "Looking…";
  $("result").hidden = true;
  $("boxes").replaceChildren();
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
    if (response.ok) show(answer);
    else $("status").textContent = `${response.status}: ${answer.detail}`;
  } catch (error) {
    $("status").textContent = `The server did not answer: ${error.message}`;
  }
}

$("file").addEventListener("change", (event) => event.target.files[0] && recognize(event.target.files[0]));
$("drop").addEventListener("dragover", (event) => { event.preventDefault(); $("drop").classList.add("over"); });
$("drop").addEventListener("dragleave", () => $("drop").classList.remove("over"));
$("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  if (event.dataTransfer.files[0]) recognize(event.dataTransfer.files[0]);
});
$("curl").textContent = $("curl").textContent.replace("SERVER", location.href.split(/[?#]/)[0].replace(/\/$/, ""));
