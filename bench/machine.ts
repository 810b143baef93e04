// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';

/** Where and on what a figure was measured. */
export function machine() {
  return {
    at: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    commit: commit(),
    /** Above the number of cores, something else was running too. */
    load1: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

function commit(): string {
  try {
    const git = (...args: readonly string[]): string =>
      execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--', '../src') === '' ? '' : '+changes';
    return `${git('rev-parse', '--short', 'HEAD')}${changed}`;
  } catch {
    // Outside a checkout the figure stands without a commit.
    return 'unknown';
  }
}

/** User and system time of a process so far, microseconds; clock ticks are 10 ms (proc(5)). */
export function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/**
 * The most that this process had in memory at any time. Not `maxRSS` of `resourceUsage`: there a process that was
 * just started begins with what its parent had (getrusage(2), kept across exec).
 */
export function peakResidentBytes(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

export function percentiles(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** CPU microseconds of what no hop can do without: one signature, two verifications, one hash. */
export function cryptoFloorUs(bodyBytes: number, rounds = 3000): number {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const body = randomBytes(bodyBytes);
  let signature = sign(null, body, privateKey);
  const once = (): void => {
    signature = sign(null, body, privateKey);
    verify(null, body, publicKey, signature);
    verify(null, body, publicKey, signature);
    createHash('sha256').update(body).digest();
  };
  for (let round = 0; round < 300; round += 1) once();
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) once();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / rounds;
}

/** `--name value` of the command line, as a number. */
export function numberOption(name: string, otherwise: number): number {
  const place = process.argv.indexOf(`--${name}`);
  return place < 0 ? otherwise : Number(process.argv[place + 1]);
}

export function textOption(name: string): string | null {
  const place = process.argv.indexOf(`--${name}`);
  return place < 0 ? null : (process.argv[place + 1] ?? null);
}

/** The figures as JSON with `--json`, else as indented lines. */
export function print(figures: object): void {
  const indent = process.argv.includes('--json') ? 0 : 2;
  process.stdout.write(`${JSON.stringify(figures, null, indent)}\n`);
}
