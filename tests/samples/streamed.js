// A file as the packages form-data and node-fetch 2 send it: in chunks, without an announced length, and with
// "Connection: close". Twice, one call after the other: a connection that is kept after all breaks the second one.
const fs = require("fs");
const http = require("http");
const path = require("path");

const boundary = "-".repeat(26) + "123456789012345678901234";

function recognize(file) {
  return new Promise((resolve, reject) => {
    const request = http.request(`${process.env.HOST}/v1/plate-reader/`, {
      method: "POST",
      headers: {
        Authorization: `Token ${process.env.TOKEN}`,
        "Content-Type": `multipart/form-data; boundary=${boundary}`,
        "Accept-Encoding": "gzip,deflate",
        Connection: "close",
      },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece) => (text += piece));
      response.on("end", () => resolve({ text, connection: response.headers.connection }));
      response.on("error", reject);
    });
    request.write(`--${boundary}\r\nContent-Disposition: form-data; name="regions"\r\n\r\nus-ca\r\n`);
    request.write(
      `--${boundary}\r\nContent-Disposition: form-data; name="upload"; filename="${path.basename(file)}"\r\n` +
        "Content-Type: image/jpeg\r\n\r\n",
    );
    const picture = fs.createReadStream(file);
    picture.on("end", () => request.end(`\r\n--${boundary}--\r\n`));
    picture.pipe(request, { end: false });
  });
}

(async () => {
  await recognize(process.argv[2]);
  const { text, connection } = await recognize(process.argv[2]);
  if (connection !== "close") throw new Error(`the connection was not said to be closed: ${connection}`);
  console.log(text);
})();
