// SPDX-License-Identifier: Apache-2.0

const signals = ['SIGINT', 'SIGTERM'] as const;
/** Within this long, signals are one wish to stop: npm passes on what the terminal has sent to everybody. */
const oneWishMs = 1_000;
const lookMs = 500;
/** The scripts of a clone that run commands; each runs one in the foreground. */
const ownScripts: ReadonlySet<unknown> = new Set(['maso', 'start']);

/**
 * Calls back once when the program is to end in order. Who asks again, later than a second, ends it at once. Gives
 * what takes the listeners off.
 */
export function onStop(stop: () => void): () => void {
  let askedAtMs: number | null = null;
  const asked = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (askedAtMs === null) {
      askedAtMs = nowMs;
      stop();
    } else if (nowMs - askedAtMs > oneWishMs) {
      off();
      process.kill(process.pid, signal);
    }
  };
  const off = (): void => {
    for (const signal of signals) process.off(signal, asked);
  };
  for (const signal of signals) process.on(signal, asked);
  return off;
}

/** Resolves on a signal to end, or when the program that started this one has ended. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    onStop(resolve);
    if (process.send !== undefined) process.once('disconnect', () => resolve());
  });
}

/**
 * npm passes SIGTERM on to the shell that it runs a script in, which ends and leaves what it runs behind. In the
 * scripts of a clone, whose shell ends first in no other case, the end of the shell is taken for the signal.
 */
export function followNpm(environment: NodeJS.ProcessEnv = process.env): void {
  const { npm_package_name: name, npm_lifecycle_event: script } = environment;
  if (name !== 'maso' || !ownScripts.has(script)) return;
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    process.kill(process.pid, 'SIGTERM');
  }, lookMs);
  look.unref();
}
