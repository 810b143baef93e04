// SPDX-License-Identifier: Apache-2.0
import { Outcome, visible } from '../parts.tsx';
import type { TraceDocument } from './verdicts.tsx';

type Node = {
  readonly message: string; readonly who: string; readonly to: string | null; readonly what: string;
  readonly outcome: string | null; readonly causes: readonly string[];
};

const rank: { readonly [outcome: string]: number } = { GO: 0, ESCALATE: 1, 'NO-GO': 2 };

/** Messages of a request as a tree, each under what caused it; read aloud it is a nested list. */
export function CausalGraph({ trace }: { readonly trace: TraceDocument }) {
  const nodes = nodesOf(trace);
  const known = new Set(nodes.map(({ message }) => message));
  const below = new Map<string, Node[]>();
  const roots: Node[] = [];
  for (const node of nodes) {
    const cause = node.causes.findLast((id) => known.has(id) && id !== node.message);
    if (cause === undefined) roots.push(node);
    else below.set(cause, [...(below.get(cause) ?? []), node]);
  }
  if (roots.length === 0) return <p className="quiet">No message of this request is on record.</p>;
  return <ul className="tree">{roots.map((node) => <Branch key={node.message} node={node} below={below} depth={0} />)}</ul>;
}

function Branch({ node, below, depth }: {
  readonly node: Node; readonly below: ReadonlyMap<string, readonly Node[]>; readonly depth: number;
}) {
  const children = depth > 40 ? [] : (below.get(node.message) ?? []);
  return (
    <li>
      <span className="tree-node">
        <strong>{visible(node.who)}</strong>{node.to !== null && <> → <strong>{visible(node.to)}</strong></>} {visible(node.what)} <Outcome value={node.outcome} />
      </span>
      {children.length > 0 && <ul>{children.map((child) => <Branch key={child.message} node={child} below={below} depth={depth + 1} />)}</ul>}
    </li>
  );
}

function nodesOf(trace: TraceDocument): readonly Node[] {
  const byMessage = new Map<string, Node>();
  for (const step of trace.maso.steps) {
    const { message, detail } = step;
    if (message === null) continue;
    const text = (name: string): string | null => {
      const value = detail[name];
      return typeof value === 'string' ? value : null;
    };
    const before = byMessage.get(message);
    const who = before?.who ?? step.actor.slice(step.actor.indexOf(':') + 1);
    const tool = text('tool');
    const what = text('action') ?? (tool === null ? text('schema') : `${tool}.${text('operation') ?? ''}`);
    const worse = (rank[step.outcome ?? 'GO'] ?? 0) >= (rank[before?.outcome ?? 'GO'] ?? 0);
    byMessage.set(message, {
      message, who,
      to: before?.to ?? text('to'),
      what: what ?? before?.what ?? step.kind,
      outcome: step.kind === 'approval.decided' || worse ? (step.outcome ?? before?.outcome ?? null) : (before?.outcome ?? null),
      causes: before?.causes.length ? before.causes : step.caused_by.filter((id) => id !== message),
    });
  }
  return [...byMessage.values()];
}
