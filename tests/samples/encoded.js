// A picture as base64 in a URL-encoded form.
const fs = require("fs");

const body = new URLSearchParams();
body.append("upload", fs.readFileSync(process.argv[2]).toString("base64"));
body.append("regions", "us-ca");

fetch(`${process.env.HOST}/v1/plate-reader/`, {
  method: "POST",
  headers: { Authorization: `Token ${process.env.TOKEN}` },
  body,
})
  .then((response) => response.json())
  .then((answer) => console.log(JSON.stringify(answer)));
