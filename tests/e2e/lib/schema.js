"use strict";
// As much of JSON Schema as docs/status-api.schema.json uses; a word that is not known here fails.

const assert = require("node:assert");

const TYPES = {
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  array: Array.isArray,
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  number: (value) => Number.isFinite(value),
  integer: Number.isSafeInteger,
};
const WORDS = {
  $schema() {},
  $defs() {},
  title() {},
  description() {},
  $ref: (at, value, ref, root) => check(at, value, root.$defs[ref.replace("#/$defs/", "")], root),
  type: (at, value, type) => assert.ok(TYPES[type](value), `${at} is no ${type}: ${JSON.stringify(value)}`),
  const: (at, value, only) => assert.deepEqual(value, only, at),
  enum: (at, value, all) => assert.ok(all.includes(value), `${at}: ${JSON.stringify(value)} is none of ${all}`),
  minimum: (at, value, least) => assert.ok(value >= least, `${at}: ${value} < ${least}`),
  maxItems: (at, value, most) => assert.ok(value.length <= most, `${at}: ${value.length} items`),
  items: (at, value, schema, root) => value.forEach((item, i) => check(`${at}[${i}]`, item, schema, root)),
  required: (at, value, names) => names.forEach((name) => assert.ok(Object.hasOwn(value, name), `${at} has no ${name}`)),
  properties(at, value, schemas, root) {
    for (const [name, schema] of Object.entries(schemas)) if (Object.hasOwn(value, name)) check(`${at}.${name}`, value[name], schema, root);
  },
  additionalProperties(at, value, schema, root, { properties = {} }) {
    for (const name of Object.keys(value)) {
      if (Object.hasOwn(properties, name)) continue;
      assert.ok(schema, `${at}.${name} is not in the schema`);
      check(`${at}.${name}`, value[name], schema, root);
    }
  },
};

function check(at, value, schema, root) {
  for (const [word, argument] of Object.entries(schema)) {
    assert.ok(WORDS[word], `the schema's word ${word}`);
    WORDS[word](at, value, argument, root, schema);
  }
}

module.exports = { checkSchema: (value, schema) => check("$", value, schema, schema) };
