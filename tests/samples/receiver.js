// Receives webhooks: a form with "json" and perhaps a picture, or JSON alone. Prints one line for each.
const http = require("http");

http
  .createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const type = request.headers["content-type"];
    const pictures = {};
    let text = Buffer.concat(pieces).toString();
    if (!type.startsWith("application/json")) {
      const form = await new Response(Buffer.concat(pieces), { headers: { "Content-Type": type } }).formData();
      for (const [name, value] of form) {
        if (typeof value === "string") text = value;
        else pictures[name] = [value.name, value.type, value.size];
      }
    }
    console.log(JSON.stringify({ message: JSON.parse(text), pictures }));
    response.end("OK");
  })
  .listen(Number(process.argv[2]), "127.0.0.1");
