// A picture as a file, with two regions.
const fs = require("fs");

const body = new FormData();
body.append("upload", new Blob([fs.readFileSync(process.argv[2])]), "street.jpg");
body.append("regions", "us-ca");
body.append("regions", "mx");

fetch(`${process.env.HOST}/v1/plate-reader/`, {
  method: "POST",
  headers: { Authorization: `Token ${process.env.TOKEN}` },
  body,
})
  .then((response) => response.json())
  .then((answer) => console.log(JSON.stringify(answer)));
