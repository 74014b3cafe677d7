"use strict";
// Certificates for tests, made by openssl in a folder of the test's own.

const fs = require("node:fs");
const path = require("node:path");
const { execFileSync } = require("node:child_process");
const { tempFolder } = require("./base.js");

class Certificates {
  constructor(crew) {
    this.folder = tempFolder(crew);
  }
  path(name) {
    return path.join(this.folder, name);
  }
  read(name) {
    return fs.readFileSync(this.path(name));
  }
  openssl(...args) {
    return execFileSync("openssl", args, { cwd: this.folder, stdio: ["ignore", "pipe", "ignore"] }).toString();
  }
  /* NAME.pem and NAME.key: `kind` ec or rsa; signed by `by`, else by itself. The chain to the root stands in it. */
  make(name, { subject = name, names = [], kind = "ec", by, authority = false, days = 9 } = {}) {
    const key = kind === "ec" ? ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] : ["rsa:2048"];
    this.openssl("req", "-newkey", ...key, "-nodes", "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${subject}`);
    const lines = [`basicConstraints=CA:${authority ? "TRUE" : "FALSE"}`];
    if (names.length) lines.push(`subjectAltName=${names.map((text) => (/^[\d.:]+$/.test(text) ? "IP:" : "DNS:") + text)}`);
    fs.writeFileSync(this.path(`${name}.ext`), lines.join("\n"));
    const signer = by ? ["-CA", `${by}.pem`, "-CAkey", `${by}.key`, "-CAcreateserial"] : ["-signkey", `${name}.key`];
    this.openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.pem`, "-days", String(days), "-extfile", `${name}.ext`, ...signer);
    if (by && !authority) fs.appendFileSync(this.path(`${name}.pem`), this.read(`${by}.pem`));
    return this;
  }
}

module.exports = { Certificates };
