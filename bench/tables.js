'use strict';
// Medians, tables and plots from the runs; results.json holds every run as it was measured.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

function median(values) {
  const sorted = values.filter((v) => typeof v === 'number').sort((a, b) => a - b);
  if (!sorted.length) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function medians(runs) {
  const out = {};
  for (const key of new Set(runs.flatMap(Object.keys))) {
    const value = median(runs.map((run) => run[key]));
    if (value !== undefined) out[key] = value;
  }
  return out;
}

const decimals = (value) => (value === undefined ? '-' : Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toFixed(Math.abs(value) >= 100 ? 0 : 1));
const millis = (us) => (us === undefined ? '-' : (us / 1000).toFixed(2));
const mib = (bytes) => (bytes === undefined ? '-' : (bytes / 1048576).toFixed(1));

function layout(rows) {
  const width = rows[0].map((_, i) => Math.max(...rows.map((row) => [...row[i]].length)));
  return rows.map((row) => '  ' + row.map((cell, i) => (i ? cell.padStart(width[i]) : cell.padEnd(width[i]))).join('  ')).join('\n');
}

function costTable(c) {
  const subjects = Object.keys(c.runs).filter((s) => c.runs[s].length);
  const base = c.median.hawser?.[c.measure];
  const timed = subjects.some((s) => c.median[s].p99_us !== undefined);
  const rows = [['', c.unit, 'lowest', 'highest', 'hawser / this', ...(timed ? ['p50 ms', 'p99 ms', 'a second'] : [])]];
  for (const s of subjects) {
    const m = c.median[s], values = c.runs[s].map((run) => run[c.measure]);
    rows.push([s, decimals(m[c.measure]), decimals(Math.min(...values)), decimals(Math.max(...values)),
      base === undefined || s === 'hawser' ? '-' : (base / m[c.measure]).toFixed(2),
      ...(timed ? [millis(m.p50_us), millis(m.p99_us), m.per_second === undefined ? '-' : Math.round(m.per_second).toLocaleString('en-US')] : [])]);
  }
  return layout(rows);
}

// Latencies of those who have nothing to do with the trouble, and what the trouble took.
function sceneTable(c) {
  const rows = [['', 'talk p99 ms before', 'during', 'new p99 ms before', 'during', 'messages lost', 'tunnels closed',
    'new failed', 'PSS MiB before', 'peak', 'after', 'kernel MiB', 'largest KiB', 'processes']];
  for (const [s, m] of Object.entries(c.median))
    rows.push([s, millis(m.before_talk_p99_us), millis(m.during_talk_p99_us), millis(m.before_visit_p99_us),
      millis(m.during_visit_p99_us), String(m.talk_lost), String(m.talk_closed + (m.joined_closed || 0)), String(m.visit_failed + m.visit_late),
      mib(m.pss_before), mib(m.pss_peak), mib(m.pss_after), mib(m.socket_receive_during + m.socket_send_during),
      decimals(m.socket_largest_during / 1024), `${m.processes_before} -> ${m.processes_after}`]);
  return layout(rows);
}

function text(results) {
  const { machine: m, versions } = results;
  const parts = [`${m.cpu}, ${m.cores} cores, Linux ${m.kernel}; ` +
    Object.entries(versions).map(([name, version]) => (version.includes(name) ? version : `${name} ${version}`)).join(', ') +
    `; medians of ${results.rounds}${results.scale === 1 ? '' : `, scale ${results.scale}`}; ${results.seconds} s`];
  if (results.busy > 0.1)
    parts.push(`Between the runs other work took ${Math.round(results.busy * 100)} % of the cores: compare the lowest, not the medians.`);
  for (const [name, c] of Object.entries(results.cases)) {
    if (!Object.keys(c.median).length) continue;
    parts.push(`\n${name}: ${c.title}\n${c.scene ? sceneTable(c) : costTable(c)}`);
  }
  return parts.join('\n') + '\n';
}

// -- the plot --

const COLOURS = { hawser: '#c4421a', nginx: '#3f7f5f', haproxy: '#4a6fa5', relay: '#9a9a9a', 'nginx 32k': '#9cc5ae', 'haproxy 64k': '#a9bfdd' };

function block(results, cases, key, scale) {
  const present = cases.filter((name) => Object.keys(results.cases[name]?.median || {}).length);
  const subjects = Object.keys(COLOURS).filter((s) => present.some((name) => results.cases[name].median[s]));
  const lines = present.map((name) => [`"${name}"`, ...subjects.map((s) => {
    const value = results.cases[name].median[s]?.[key || results.cases[name].measure];
    return value === undefined ? 'NaN' : (value * scale).toFixed(4);
  })].join(' '));
  return { lines, subjects };
}

const PANELS = [
  { title: 'CPU µs a message (poll: a request)', cases: ['echo-64', 'echo-128', 'echo-16k', 'poll'] },
  { title: 'CPU µs a WebSocket handshake', cases: ['handshake'] },
  { title: 'bytes (PSS) an idle tunnel', cases: ['idle', 'idle-logged'], log: true },
  { title: 'p99 ms at a fixed rate', cases: ['rate-64', 'rate-128', 'rate-16k'], key: 'p99_us', scale: 1 / 1000, log: true },
];

function plot(results, out) {
  const panels = PANELS.map((panel) => ({ ...panel, ...block(results, panel.cases, panel.key, panel.scale || 1) }))
    .filter((panel) => panel.lines.length);
  if (!panels.length) return undefined;
  const rows = Math.ceil(panels.length / 2), columns = Math.min(panels.length, 2);
  const script = [`set terminal pngcairo size ${columns * 760},${rows * 460} font "sans,11"`,
    `set output "${path.join(out, 'results.png')}"`, `set multiplot layout ${rows},${columns}`,
    'set style data histograms', 'set style histogram clustered gap 1', 'set style fill solid border -1',
    'set boxwidth 0.92', 'set grid ytics lc rgb "#dddddd"', 'set key outside top center horizontal', 'set tics nomirror', 'set border 3'];
  panels.forEach((panel, i) => {
    script.push(`$data${i} << END`, ...panel.lines, 'END', `set title "${panel.title}"`,
      panel.log ? 'set logscale y; set yrange [*:*]' : 'unset logscale y; set yrange [0:*]',
      'plot ' + panel.subjects.map((s, k) => `$data${i} using ${k + 2}:xtic(1) title "${s}" lc rgb "${COLOURS[s]}"`).join(', '));
  });
  script.push('unset multiplot');
  fs.writeFileSync(path.join(out, 'results.gnuplot'), script.join('\n') + '\n');
  const ran = spawnSync('gnuplot', [path.join(out, 'results.gnuplot')], { encoding: 'utf8' });
  if (ran.error) return 'gnuplot is not installed (apt-get install gnuplot-nox): no plot';
  return ran.status ? `gnuplot: ${ran.stderr.trim()}` : undefined;
}

exports.write = (results, out) => {
  for (const c of Object.values(results.cases)) {
    c.median = {};
    for (const [s, runs] of Object.entries(c.runs)) if (runs.length) c.median[s] = medians(runs);
  }
  const report = text(results);
  fs.writeFileSync(path.join(out, 'results.json'), JSON.stringify(results, null, 1) + '\n');
  fs.writeFileSync(path.join(out, 'results.txt'), report);
  process.stdout.write(report);
  const trouble = plot(results, out);
  if (trouble) process.stderr.write(trouble + '\n');
};
