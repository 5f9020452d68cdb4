// Everything that can be said beside the picture.
const fs = require("fs");

const body = new FormData();
body.append("upload", new Blob([fs.readFileSync(process.argv[2])]), "street.jpg");
body.append("regions", "us-ca");
body.append("regions", "mx");
body.append("mmc", "true");
body.append("camera_id", "gate-1");
body.append("timestamp", "2026-03-05T14:02:11");
body.append("config", JSON.stringify({ mode: "fast", threshold_d: 0.3, threshold_o: 0.5 }));

fetch(`${process.env.HOST}/v1/plate-reader/`, {
  method: "POST",
  headers: { Authorization: `Token ${process.env.TOKEN}` },
  body,
})
  .then((response) => response.json())
  .then((answer) => console.log(JSON.stringify(answer)));
