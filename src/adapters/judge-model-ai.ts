// SPDX-License-Identifier: Apache-2.0
import type { JudgeModel, ModelAnswer, ModelPrompt } from '../judge/judge-model.ts';
import type { JudgeModelSettings } from '../mesh/judge-settings.ts';
import type { JudgeLibrary } from './judge-library.ts';
import { boundedFetch } from './judge-fetch.ts';

type LanguageModel = Parameters<JudgeLibrary['ai']['generateText']>[0]['model'];

/**
 * A judge behind an OpenAI-compatible endpoint or Anthropic, through the AI SDK. One request for each
 * question, without tools, history, retries or redirects. The key is held here and nowhere else.
 */
export class AiJudgeModel implements JudgeModel {
  readonly #library: JudgeLibrary;
  readonly #model: LanguageModel;
  readonly #isStructured: boolean;

  constructor(settings: JudgeModelSettings, key: string | null, library: JudgeLibrary) {
    this.#library = library;
    this.#model = modelOf(settings, key, library);
    const { provider } = settings;
    this.#isStructured = provider.kind === 'anthropic' || provider.structured !== 'none';
  }

  async ask(prompt: ModelPrompt, signal: AbortSignal): Promise<ModelAnswer> {
    const { generateText, NoObjectGeneratedError, Output, jsonSchema } = this.#library.ai;
    const asked = {
      model: this.#model,
      system: prompt.system,
      prompt: prompt.user,
      maxOutputTokens: prompt.outputTokensMax,
      temperature: 0,
      maxRetries: 0,
      abortSignal: signal,
    };
    try {
      const { text, usage } = this.#isStructured
        ? await generateText({ ...asked, output: Output.object({ schema: jsonSchema(schemaOf(prompt)) }) })
        : await generateText(asked);
      return { text, ...tokensOf(usage) };
    } catch (failure) {
      // No JSON at all: for the parser to refuse, with what it cost.
      if (!NoObjectGeneratedError.isInstance(failure)) throw failure;
      return { text: failure.text ?? '', ...tokensOf(failure.usage) };
    }
  }
}

type Usage = { readonly inputTokens?: number | undefined; readonly outputTokens?: number | undefined };

function tokensOf(usage: Usage | undefined): Omit<ModelAnswer, 'text'> {
  return {
    inputTokens: usage?.inputTokens ?? null,
    outputTokens: usage?.outputTokens ?? null,
  };
}

/** The library wants a schema that it may write to. */
function schemaOf({ answer }: ModelPrompt): Record<string, unknown> {
  return structuredClone(answer) as Record<string, unknown>;
}

function modelOf(
  { provider, model, name }: JudgeModelSettings,
  key: string | null,
  { compatible, anthropic }: JudgeLibrary,
): LanguageModel {
  if (provider.kind === 'anthropic') {
    const created = anthropic.createAnthropic({
      ...(provider.url === null ? {} : { baseURL: provider.url }),
      // Never the library's own look into the environment.
      apiKey: key ?? 'none',
      fetch: boundedFetch,
    });
    return created(model);
  }
  const created = compatible.createOpenAICompatible({
    name,
    baseURL: provider.url,
    ...(key === null ? {} : { apiKey: key }),
    supportsStructuredOutputs: provider.structured === 'json_schema',
    fetch: boundedFetch,
  });
  return created(model);
}
