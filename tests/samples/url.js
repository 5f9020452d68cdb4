// A picture that the server fetches itself, asked for in JSON.
fetch(`${process.env.HOST}/v1/plate-reader/`, {
  method: "POST",
  headers: { Authorization: `Token ${process.env.TOKEN}`, "Content-Type": "application/json" },
  body: JSON.stringify({ upload_url: process.argv[2], regions: ["us-ca"] }),
})
  .then((response) => response.json())
  .then((answer) => console.log(JSON.stringify(answer)));
