"use strict";
// A strict reader of Prometheus' text format 0.0.4: fails on whatever that does not allow, and on what its conventions
// advise against. Gives a map of name -> { type, help, samples: [{ name, labels, value }] }.

const assert = require("node:assert");

const NAME = /^[a-z_:][a-z0-9_:]*$/;
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/;
const TYPES = ["counter", "gauge", "histogram"];

function labelsOf(text, line) {
  const labels = {};
  let rest = text;
  while (rest !== "") {
    const one = /^([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/.exec(rest);
    assert.ok(one, `labels: ${line}`);
    assert.ok(!(one[1] in labels), `label twice: ${line}`);
    labels[one[1]] = one[2].replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
    rest = rest.slice(one[0].length);
  }
  return labels;
}

function histogramCheck(name, { samples }) {
  const series = new Map();
  for (const { name: sample, labels, value } of samples) {
    const { le, ...own } = labels;
    const key = JSON.stringify(own);
    if (!series.has(key)) series.set(key, { buckets: [] });
    const one = series.get(key);
    if (sample === `${name}_bucket`) one.buckets.push([le === "+Inf" ? Infinity : Number(le), value]);
    else one[sample.slice(name.length + 1)] = value;
  }
  for (const [key, { buckets, sum, count }] of series) {
    assert.ok(buckets.length > 1 && buckets.at(-1)[0] === Infinity, `${name}${key} ends with +Inf`);
    for (let i = 1; i < buckets.length; i++) assert.ok(buckets[i][0] > buckets[i - 1][0] && buckets[i][1] >= buckets[i - 1][1], `${name}${key} rises`);
    assert.equal(buckets.at(-1)[1], count, `${name}${key}_count`);
    assert.ok(sum >= 0, `${name}${key}_sum`);
  }
}

function conventionsCheck(name, { type, help }) {
  assert.match(name, /^(hawser|process)_/, name);
  assert.equal(name.endsWith("_total"), type === "counter", `${name} is a ${type}`);
  assert.doesNotMatch(name, /_(ms|millis|kb|mb|count|sum|bucket)(_|$)/, `base units: ${name}`);
  if (type === "histogram") assert.match(name, /_(seconds|bytes)$/, name);
  assert.ok(help.length > 5, `help of ${name}`);
}

function parseExposition(text) {
  const families = new Map();
  const seen = new Set();
  let name, family, help;
  assert.ok(text.endsWith("\n"), "ends with a line feed");
  for (const line of text.slice(0, -1).split("\n")) {
    const meta = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (meta?.[1] === "HELP") {
      [, , name, help] = meta;
      assert.match(name, NAME);
      assert.ok(!families.has(name), `${name} is told in one piece`);
      family = undefined;
    } else if (meta) {
      assert.equal(meta[2], name, line);
      assert.ok(TYPES.includes(meta[3]), line);
      families.set(name, (family = { type: meta[3], help, samples: [] }));
    } else {
      const sample = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line);
      assert.ok(sample && family, line);
      assert.match(sample[3], VALUE, line);
      const bases = family.type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
      assert.ok(bases.includes(sample[1]), `${line} belongs to ${name}`);
      assert.ok(!seen.has(line.slice(0, line.lastIndexOf(" "))), `twice: ${line}`);
      seen.add(line.slice(0, line.lastIndexOf(" ")));
      family.samples.push({ name: sample[1], labels: labelsOf(sample[2] ?? "", line), value: Number(sample[3].replace("Inf", "Infinity")) });
    }
  }
  for (const [of, one] of families) {
    conventionsCheck(of, one);
    if (one.type === "histogram") histogramCheck(of, one);
  }
  return families;
}

module.exports = { parseExposition };
