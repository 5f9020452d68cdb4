"""Receives webhooks: a form with ``json`` and perhaps a picture, or JSON alone. Prints one line for each."""

import json
import sys
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind, pictures = self.headers.get_content_type(), {}
        if kind == "multipart/form-data":
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n"
            for part in message_from_bytes(head.encode() + body, policy=HTTP).iter_parts():
                name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
                if part.get_filename():
                    pictures[name] = [part.get_filename(), part.get_content_type(), len(content)]
                else:
                    text = content.decode()
        else:
            text = parse_qs(body.decode())["json"][0] if kind == "application/x-www-form-urlencoded" else body.decode()
        print(json.dumps({"message": json.loads(text), "pictures": pictures}), flush=True)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
