"use strict";
// Bare TCP: a client that says exactly the bytes it is given, and a backend that records exactly the bytes it gets.

const net = require("node:net");
const { until } = require("./base.js");

const CRLF2 = "\r\n\r\n";

/* One end of a TCP connection with what came so far. Bytes are latin1 strings, one letter a byte. */
class Wire {
  constructor(socket) {
    this.socket = socket;
    this.all = ""; // everything that ever came
    this.at = 0; // of it, what has been read
    this.isEnded = false; // a FIN came
    this.isClosed = false;
    this.error = null;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => (this.all += bytes.toString("latin1")));
    socket.on("end", () => (this.isEnded = true));
    socket.on("close", () => (this.isClosed = true));
    socket.on("error", (error) => (this.error = error));
  }
  get rest() {
    return this.all.slice(this.at);
  }
  get isOver() {
    return this.isEnded || this.isClosed;
  }
  write(text) {
    this.socket.write(Buffer.from(text, "latin1"));
    return this;
  }
  end(text) {
    this.socket.end(text === undefined ? undefined : Buffer.from(text, "latin1"));
  }
  reset() {
    this.socket.resetAndDestroy();
  }
  destroy() {
    this.socket.destroy();
  }
  async ended(ms) {
    await until(() => this.isOver, () => `the other side's end, having got ${JSON.stringify(this.rest.slice(0, 400))}`, ms);
    return this.rest;
  }
  /* The other side has closed or reset. */
  async closed(ms) {
    await until(() => this.isOver, "the connection's end", ms);
  }
  /* Reads and gives the next `count` bytes. */
  async take(count, ms) {
    await until(() => this.rest.length >= count || this.isOver, () => `${count} bytes, have ${this.rest.length}`, ms);
    if (this.rest.length < count) throw new Error(`ended after ${this.rest.length} of ${count} bytes: ${JSON.stringify(this.rest.slice(0, 400))}`);
    const bytes = this.rest.slice(0, count);
    this.at += count;
    return bytes;
  }
  /* Reads up to and with `mark`. */
  async takeTo(mark, ms) {
    await until(() => this.rest.includes(mark) || this.isOver, () => `${JSON.stringify(mark)} in ${JSON.stringify(this.rest.slice(0, 400))}`, ms);
    const index = this.rest.indexOf(mark);
    if (index < 0) throw new Error(`ended without ${JSON.stringify(mark)}: ${JSON.stringify(this.rest.slice(0, 400))} ${this.error || ""}`);
    return this.take(index + mark.length, ms);
  }
  async takeHead(ms) {
    return parseHead(await this.takeTo(CRLF2, ms));
  }
  async takeChunks(ms) {
    let body = "";
    for (;;) {
      const line = await this.takeTo("\r\n", ms);
      const size = parseInt(line, 16);
      if (!/^[0-9a-f]+(;.*)?\r\n$/i.test(line)) throw new Error(`bad chunk line ${JSON.stringify(line)}`);
      if (size === 0) break;
      body += await this.take(size, ms);
      const end = await this.take(2, ms);
      if (end !== "\r\n") throw new Error(`bad chunk end ${JSON.stringify(end)}`);
    }
    let trailers = "";
    for (let line; (line = await this.takeTo("\r\n", ms)) !== "\r\n"; ) trailers += line;
    return { body, trailers };
  }
  /* A whole response; `method` tells whether a body comes. 1xx are responses of their own. */
  async takeResponse(method = "GET", ms = 5000) {
    const head = await this.takeHead(ms);
    let body = "";
    let trailers = "";
    if (method === "HEAD" || head.status < 200 || head.status === 204 || head.status === 304) body = "";
    else if (/chunked/i.test(head.get("transfer-encoding") || "")) ({ body, trailers } = await this.takeChunks(ms));
    else if (head.get("content-length") !== undefined) body = await this.take(Number(head.get("content-length")), ms);
    else {
      body = await this.ended(ms);
      this.at = this.all.length;
    }
    return Object.assign(head, { body, trailers });
  }
  /* A whole request. */
  async takeRequest(ms = 5000) {
    const head = await this.takeHead(ms);
    let body = "";
    let trailers = "";
    if (/chunked/i.test(head.get("transfer-encoding") || "")) ({ body, trailers } = await this.takeChunks(ms));
    else if (head.get("content-length") !== undefined) body = await this.take(Number(head.get("content-length")), ms);
    return Object.assign(head, { body, trailers });
  }
}

/* get(): first value; getAll(): all of them. Names in any letter case. */
function parseHead(text) {
  const [first, ...lines] = text.slice(0, -CRLF2.length).split("\r\n");
  const fields = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const getAll = (name) => fields.filter(([one]) => one === name.toLowerCase()).map(([, value]) => value);
  const head = { text, first, fields, getAll, get: (name) => getAll(name)[0] };
  const status = /^HTTP\/1\.[01] (\d{3})( |$)/.exec(first);
  if (status) head.status = Number(status[1]);
  else [head.method, head.target, head.version] = first.split(" ");
  return head;
}

function connect(crew, port, { host = "127.0.0.1", localAddress } = {}) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host, localAddress, allowHalfOpen: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      const wire = new Wire(socket);
      crew.after(() => wire.destroy());
      resolve(wire);
    });
  });
}

/* Says `text` on a connection of its own and gives the response to it. */
async function ask(crew, port, text, { method = /^\w+/.exec(text)?.[0], ms, ...options } = {}) {
  const wire = await connect(crew, port, options);
  wire.write(text);
  const response = await wire.takeResponse(method, ms);
  return Object.assign(response, { wire });
}

/* A backend on a free port; serve(wire, number) is called for each connection. `all` is what came, by connection. */
async function startRawBackend(crew, serve = () => {}) {
  const wires = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const wire = new Wire(socket);
    wires.push(wire);
    Promise.resolve(serve(wire, wires.length - 1)).catch((error) => (wire.failure = error));
  });
  await new Promise((resolve) => server.listen({ port: 0, host: "127.0.0.1", exclusive: true }, resolve));
  const close = () => {
    for (const wire of wires) wire.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  crew.after(close);
  return {
    port: server.address().port,
    wires,
    close,
    get all() {
      return wires.map((wire) => wire.all);
    },
    get text() {
      return wires.map((wire) => wire.all).join("");
    },
  };
}

module.exports = { Wire, connect, ask, startRawBackend, parseHead };
