"""Captions pictures: answers an event of type demo.twitter-image (a JPEG) with one of type demo.captioned-image.

The caption is made of what the picture's author says it shows and of its size, and is written into the JPEG itself, as a comment.
"""

import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote

PICTURE_BYTES_MAX = 8 << 20
# Printable ASCII but for the quote and the percent sign, which stand in headers as they are.
PLAIN = "".join(map(chr, range(0x21, 0x7F))).replace('"', "").replace("%", "")
START_OF_IMAGE = b"\xff\xd8"
COMMENT = b"\xff\xfe"
# Segments that tell the size: all "start of frame" but those that are tables.
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def size_of(jpeg):
    """Width and height; ValueError for what is no JPEG."""
    if not jpeg.startswith(START_OF_IMAGE):
        raise ValueError("the picture is no JPEG")
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        if jpeg[at + 1] in FRAMES:
            return int.from_bytes(jpeg[at + 7 : at + 9], "big"), int.from_bytes(jpeg[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    raise ValueError("the JPEG does not tell its size")


def with_comment(jpeg, text):
    """The same picture with a text in it, cut to what a segment holds."""
    octets = text.encode()[: 0xFFFF - 2]
    return START_OF_IMAGE + COMMENT + (len(octets) + 2).to_bytes(2, "big") + octets + jpeg[2:]


def caption_for(subject, author, size):
    width, height = size
    shape = "wide" if width > height else "tall" if height > width else "square"
    return f"{subject[:1].upper()}{subject[1:]}, a {shape} picture ({width} x {height}) by @{author}"


class Captions(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("content-length", "0"))
        if length > PICTURE_BYTES_MAX:
            self.close_connection = True
            return self.answer(413, b"the picture is too large\n")
        jpeg = self.rfile.read(length)
        if self.headers.get("ce-type") != "demo.twitter-image":
            return self.answer(400, b"an event of type demo.twitter-image is wanted\n")
        try:
            size = size_of(jpeg)
        except ValueError as error:
            return self.answer(400, f"{error}\n".encode())
        attribute = lambda name, otherwise: unquote(self.headers.get(f"ce-{name}", otherwise))
        caption = caption_for(attribute("subject", "a picture"), attribute("author", "somebody"), size)
        print(f"{self.headers['ce-id']}: {caption}")
        self.answer(
            200,
            with_comment(jpeg, caption),
            {
                "ce-specversion": "1.0",
                "ce-type": "demo.captioned-image",
                "ce-source": "/samples/pictures/caption",
                "ce-id": f"{self.headers['ce-id']}/caption",
                "ce-subject": quote(caption, safe=PLAIN),
                "content-type": "image/jpeg",
            },
        )

    def answer(self, status, body, headers={}):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Captions)
# From another thread: the loop that a handler interrupts would wait for itself.
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
