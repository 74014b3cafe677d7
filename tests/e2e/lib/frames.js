"use strict";
// WebSocket by hand, for tests that must say exact bytes. Bytes are latin1 strings as in wire.js.

const crypto = require("node:crypto");

const KEY = "dGhlIHNhbXBsZSBub25jZQ=="; // RFC 6455 1.3
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const acceptOf = (key) => crypto.createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

/* A frame with a payload of at most 65,535 bytes; `mask` as a client's. */
function frame(payload, { op = 1, mask = false } = {}) {
  const bytes = Buffer.from(payload, "latin1");
  const length = bytes.length < 126 ? [bytes.length] : [126, bytes.length >> 8, bytes.length & 255];
  if (mask) length[0] |= 0x80;
  const key = mask ? Buffer.from([1, 2, 3, 4]) : Buffer.alloc(0);
  if (mask) for (let i = 0; i < bytes.length; i++) bytes[i] ^= key[i & 3];
  return Buffer.concat([Buffer.from([0x80 | op, ...length]), key, bytes]).toString("latin1");
}

/* A client's handshake; more lines and other values by name. */
function handshake({ target = "/websocket", host = "example.com", upgrade = "websocket", connection = "Upgrade", key = KEY, version = "13", more = "" } = {}) {
  return (
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n` +
    (upgrade === null ? "" : `Upgrade: ${upgrade}\r\n`) +
    (connection === null ? "" : `Connection: ${connection}\r\n`) +
    (key === null ? "" : `Sec-WebSocket-Key: ${key}\r\n`) +
    (version === null ? "" : `Sec-WebSocket-Version: ${version}\r\n`) +
    `${more}\r\n`
  );
}

/* A server's 101 to the request. */
const switching = (request, accept = acceptOf(request.get("sec-websocket-key"))) =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;

module.exports = { KEY, ACCEPT, acceptOf, frame, handshake, switching };
