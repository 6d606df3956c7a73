"""The household's first design, as many begin: paho-mqtt and sqlite3, a row per message. `make bench` measures the collector beside it.

    first_design.py PORT QOS COUNT FILE message|second      commit with each message, or each second

Says "subscribed", then when the last of COUNT messages was committed, in nanoseconds of CLOCK_MONOTONIC: {"stored":...}"""
import json
import sqlite3
import sys
import time

import paho.mqtt.client as mqtt

port, qos, wanted, path, commit = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
db = sqlite3.connect(path)
db.execute("CREATE TABLE IF NOT EXISTS reading(time REAL, node TEXT, device TEXT, quantity TEXT, value REAL)")
seen = 0


def on_connect(client, *_):
    client.subscribe("foyer/#", qos)


def on_message(_client, _userdata, message):
    global seen
    _, node, device, quantity = message.topic.split("/")
    payload = message.payload.decode()
    if payload.startswith("{"):
        reading = json.loads(payload)
        row = (reading["time"] / 1000, node, device, quantity, reading["value"])
    else:
        row = (time.time(), node, device, quantity, float(payload))
    db.execute("INSERT INTO reading VALUES (?, ?, ?, ?, ?)", row)
    seen += 1
    if commit == "message":
        db.commit()


def on_subscribe(*_):
    print("subscribed", flush=True)


try:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION1, "first-design")
except AttributeError:  # before paho-mqtt 2
    client = mqtt.Client("first-design")
client.on_connect, client.on_message, client.on_subscribe = on_connect, on_message, on_subscribe
client.connect("127.0.0.1", port)
last = time.monotonic()
said = False
while True:
    client.loop(0.2)
    if commit == "second" and time.monotonic() - last >= 1:
        db.commit()
        last = time.monotonic()
    if seen >= wanted and not said:
        db.commit()
        print(json.dumps({"stored": time.monotonic_ns()}), flush=True)
        said = True
