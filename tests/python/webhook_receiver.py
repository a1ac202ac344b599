"""Receives what Alertmanager and mesh send, and says each as a JSON line.

usage: webhook_receiver.py SECRET

The first line is {"port"}. What is posted to /alertmanager/RECEIVER becomes {"receiver", "alerts"}. What is posted to /mesh has to
be signed as Standard Webhooks says and be a CloudEvent; it becomes {"id", "type", "subject", "data"}, and is refused otherwise.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks import Webhook

WEBHOOK = Webhook(sys.argv[1])


def say(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            say(self.alerts(body) if self.path.startswith("/alertmanager/") else self.event(body))
            self.send_response(204)
        except Exception as error:  # whatever is wrong with it: the sender and the test are to know
            say({"refused": repr(error)})
            self.send_response(400)
        self.end_headers()

    def alerts(self, body):
        return {"receiver": self.path.rsplit("/", 1)[1], "alerts": json.loads(body)["alerts"]}

    def event(self, body):
        headers = {name.lower(): value for name, value in self.headers.items()}
        WEBHOOK.verify(body, headers)
        event = from_http_event(HTTPMessage(headers=headers, body=body))
        if event.get_id() != headers["webhook-id"]:
            raise ValueError("the event's id is not the webhook's")
        return {
            "id": event.get_id(),
            "type": event.get_type(),
            "subject": event.get_subject(),
            "data": event.get_data(),
        }

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
say({"port": server.server_port})
server.serve_forever()
