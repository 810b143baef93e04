// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { agentRequests } from './agent-requests.ts';

type Route = {
  readonly path: string;
  readonly summary: string;
  readonly request: keyof typeof agentRequests;
  readonly answers: { readonly [status: string]: string };
};

const shared = {
  '400': 'The request does not have the documented shape (`INVALID`).',
  '401': 'No live session (`SESSION_ENDED`).',
  '403': 'Refused; `code` is coarse, the reason is in the trace under `traceId`.',
  '429': 'Too fast (`RATE_LIMITED`).',
};

/** Every route an agent may call with a session; the HTTP adapter serves exactly these. */
export const agentRoutes: readonly Route[] = [
  {
    path: '/v1/tasks',
    summary: 'Start a task with a prompt (originators only).',
    request: 'startTask',
    answers: { '202': 'Admitted by the bus.', ...shared },
  },
  {
    path: '/v1/tasks/end',
    summary: 'End a task that this agent started; its mandates are void from then on.',
    request: 'endTask',
    answers: { '200': 'Ended, and on record.', ...shared },
  },
  {
    path: '/v1/mandates',
    summary: 'Hand over a mandate that a person issued to this agent; gives the task that it is for.',
    request: 'holdMandate',
    answers: { '200': 'Believed and kept.', ...shared },
  },
  {
    path: '/v1/messages',
    summary: 'Send a typed message to another agent; `standby` names who has it where that one is stopped.',
    request: 'sendMessage',
    answers: { '202': 'Admitted by the bus.', ...shared },
  },
  {
    path: '/v1/requests',
    summary: 'Request an action of an executor and wait for its outcome; refused, `standby` names whom to ask anew.',
    request: 'requestAction',
    answers: {
      '200': 'The outcome, as the executor answered it.',
      '202': 'No outcome yet: running, or held for people. It arrives in the inbox.',
      ...shared,
    },
  },
  {
    path: '/v1/chat/completions',
    summary: 'Ask the agent\'s own model; speaks the chat completions of OpenAI.',
    request: 'complete',
    answers: { '200': 'The completion.', '502': 'The model gave no answer.', ...shared },
  },
  {
    path: '/v1/tools/call',
    summary: 'Read through one of the agent\'s own tools.',
    request: 'callTool',
    answers: { '200': 'The reviewed result.', ...shared },
  },
  {
    path: '/v1/memory/remember',
    summary: 'Keep an entry of the agent\'s own memory, for the task or for all its tasks.',
    request: 'remember',
    answers: { '200': 'Kept; `items` holds its id.', ...shared },
  },
  {
    path: '/v1/memory/recall',
    summary: 'Entries of the agent\'s own memory, newest first, by exact values of indexed members.',
    request: 'recall',
    answers: { '200': 'Entries, each with its label; possibly none.', ...shared },
  },
  {
    path: '/v1/knowledge/query',
    summary: 'Pieces of a source of knowledge that are near to a text.',
    request: 'query',
    answers: { '200': 'Pieces, each with its label; possibly none.', ...shared },
  },
  {
    path: '/v1/inbox',
    summary: 'Take waiting messages; waits up to `waitMs` for the first.',
    request: 'takeMessages',
    answers: { '200': 'Messages in order; possibly none.', ...shared },
  },
  {
    path: '/v1/inbox/ack',
    summary: 'Say that messages were dealt with.',
    request: 'acknowledge',
    answers: { '200': 'The ids that were this session\'s.', ...shared },
  },
  {
    path: '/v1/children',
    summary: 'Spawn an agent from a template for one task (with the right to).',
    request: 'spawn',
    answers: {
      '200': 'It runs; `child` is the name to send to.',
      '202': 'A person has to release it. Ask again with the same `key`.',
      ...shared,
    },
  },
  {
    path: '/v1/children/end',
    summary: 'End a child, or all children of a task.',
    request: 'endChild',
    answers: { '200': 'How many were ended.', '503': 'The node cannot be asked now.', ...shared },
  },
  {
    path: '/v1/workflows/changes',
    summary: 'Propose to open and close edges of a workflow that this agent may change.',
    request: 'changeWorkflow',
    answers: {
      '200': 'In effect; `version` is the version of the policy that it made.',
      '202': 'A person has to release it. Ask again with the same `key`.',
      ...shared,
    },
  },
];

/** OpenAPI 3.1 description of the agent's endpoint, made from the shapes that check the requests. */
export function openApiDocument(): object {
  const paths: Record<string, object> = {
    '/v1/session': {
      post: {
        summary: 'Open the session with the token the process was started with. It works once.',
        security: [],
        requestBody: bodyOf('openSession'),
        responses: responses({
          '201': 'The session key for the Authorization header.',
          '401': 'Unknown, spent or ended token (`SESSION_ENDED`).',
        }),
      },
    },
    '/v1/tools': {
      get: {
        summary: 'The agent\'s tools, in the pinned wording.',
        responses: responses({ '200': 'Tools.', '401': shared['401'] }),
      },
    },
    '/v1/workflows': {
      get: {
        summary: 'Workflows that the agent may change, with each edge that it may open and close.',
        responses: responses({ '200': 'Workflows.', '401': shared['401'] }),
      },
    },
  };
  for (const route of agentRoutes) {
    paths[route.path] = {
      post: {
        summary: route.summary,
        requestBody: bodyOf(route.request),
        responses: responses(route.answers),
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'maso sidecar', version: '1', description: 'What an agent may ask of its sidecar.' },
    security: [{ session: [] }],
    components: { securitySchemes: { session: { type: 'http', scheme: 'bearer' } } },
    paths,
  };
}

function bodyOf(request: keyof typeof agentRequests): object {
  const schema = z.toJSONSchema(agentRequests[request], { target: 'draft-2020-12', io: 'input' });
  return { required: true, content: { 'application/json': { schema } } };
}

function responses(answers: { readonly [status: string]: string }): object {
  const described = Object.entries(answers).map(([status, description]) => [
    status,
    { description, content: { 'application/json': { schema: { type: 'object' } } } },
  ]);
  return Object.fromEntries(described);
}
