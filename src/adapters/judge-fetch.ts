// SPDX-License-Identifier: Apache-2.0

const answerBytesMax = 1024 * 1024;

/**
 * `fetch` for model endpoints: follows no redirect, which would take the credential elsewhere, and
 * reads at most 1 MiB of an answer. Rejects on more.
 */
export async function boundedFetch(
  input: string | URL | Request,
  init?: RequestInit,
): Promise<Response> {
  const response = await fetch(input, { ...init, redirect: 'error' });
  const { body, status, statusText } = response;
  if (body === null) return response;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > answerBytesMax) throw new Error('The answer of a model endpoint is too large.');
    chunks.push(chunk);
  }
  const headers = new Headers();
  const type = response.headers.get('content-type');
  if (type !== null) headers.set('content-type', type);
  return new Response(Buffer.concat(chunks), { status, statusText, headers });
}
