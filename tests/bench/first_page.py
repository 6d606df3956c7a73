"""The household's first web page, as its tutorial has it: Flask, a Jinja template, SQLite; the other side of tests/bench/web. FIRST_DB is the file."""
import os
import sqlite3

from flask import Flask, g, jsonify, render_template, request

app = Flask(__name__, template_folder=os.path.join(os.path.dirname(os.path.abspath(__file__)), "first_page"))


def db():
    if "db" not in g:
        g.db = sqlite3.connect(os.environ["FIRST_DB"])
        g.db.row_factory = sqlite3.Row
    return g.db


@app.teardown_appcontext
def close(_error):
    if "db" in g:
        g.pop("db").close()


@app.route("/")
def overview():
    rows = db().execute(
        "SELECT s.node, s.device, s.quantity, s.unit, r.time, r.value FROM series s"
        " JOIN reading r ON r.series = s.id AND r.time = (SELECT max(time) FROM reading WHERE series = s.id)"
        " ORDER BY s.node, s.device, s.quantity"
    ).fetchall()
    rooms = {}
    for row in rows:
        rooms.setdefault(row["node"], []).append(row)
    return render_template("overview.html", rooms=rooms)


@app.route("/history")
def history():
    node, device, quantity = request.args["series"].split("/")
    rows = db().execute(
        "SELECT r.time, r.value FROM reading r JOIN series s ON s.id = r.series"
        " WHERE s.node = ? AND s.device = ? AND s.quantity = ? ORDER BY r.time DESC LIMIT ?",
        (node, device, quantity, int(request.args.get("last", 100))),
    ).fetchall()
    return jsonify(series=[{"node": node, "device": device, "quantity": quantity, "points": [list(row) for row in reversed(rows)]}])
