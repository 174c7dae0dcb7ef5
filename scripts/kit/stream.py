"""An event stream through a proxy: each event must arrive before the next is sent.

    stream.py serve PORT_FILE    a server whose /stream waits for a request of /next between two events
    stream.py read URL           reads such a stream through the proxy; ends with 1 when an event is held back
"""

import http.client
import http.server
import ssl
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

EVENTS = 5
PATIENCE_SECONDS = 3
may_go_on = threading.Semaphore(0)


class Streams(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/stream":
            self.answer("text/event-stream", self.events())
            return
        if self.path == "/next":
            may_go_on.release()
        self.answer("text/plain", [b"ok"])

    def events(self):
        for number in range(EVENTS):
            yield f"data: {number}\n\n".encode()
            may_go_on.acquire()

    def answer(self, kind, parts):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in parts:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


def serve(port_file):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Streams)
    Path(port_file).write_text(str(server.server_port))
    server.serve_forever()


def get(address, path):
    # The proxy's certificate is made for this one test.
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(address, timeout=PATIENCE_SECONDS, context=trust)
    connection.request("GET", path)
    return connection.getresponse()


def read(url):
    address = urlsplit(url).netloc
    try:
        stream = get(address, "/stream")
        for number in range(EVENTS):
            line = stream.readline()
            if line != f"data: {number}\n".encode() or stream.readline() != b"\n":
                sys.exit(f"event {number} came as {line!r}")
            get(address, "/next").read()
        if stream.read() != b"":
            sys.exit("the stream did not end")
    except TimeoutError:
        sys.exit("an event was held back")
    print(f"{EVENTS} events, each before the next was sent")


if __name__ == "__main__":
    {"serve": serve, "read": read}[sys.argv[1]](sys.argv[2])
