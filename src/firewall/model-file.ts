// SPDX-License-Identifier: Apache-2.0
import { featuresVersion } from './features.ts';
import type { Calibration, CompactWeights, Doubts } from './compact-model.ts';
import { benignShares } from './compact-model.ts';
import { FirewallError } from './firewall-error.ts';
import type { SecondWeights } from './second-weights.ts';
import { parseSecond } from './second-weights.ts';
import { WordClusters } from './word-clusters.ts';
import { channels } from '../message/channel.ts';

const magic = 'maso-injection-model';
/** Long enough for every header that `encodeModel` writes. */
const headerBytesMax = 64 * 1024;
const bitsMax = 24;

/** One line of JSON, a line feed, the weights, one signed byte each, the groups of words and the second reader. */
export function encodeModel(model: CompactWeights): Uint8Array {
  const { weights, clusters, second, ...rest } = model;
  const table = clusters?.bytes ?? new Uint8Array();
  const reader = second?.weights.bytes ?? new Uint8Array();
  const sizes = { clusterBytes: table.length, secondBytes: reader.length, doubtFrom: second?.doubtFrom ?? null };
  const header = new TextEncoder().encode(
    `${JSON.stringify({ format: magic, features: featuresVersion, ...rest, ...sizes })}\n`,
  );
  return Buffer.concat([header, new Uint8Array(weights.buffer, weights.byteOffset, weights.length), table, reader]);
}

/**
 * Reads a model file. Throws `FirewallError` FIREWALL_MODEL_MALFORMED when it is none, or was
 * trained on features of another version: its weights would mean nothing.
 */
export function decodeModel(file: Uint8Array): CompactWeights {
  const end = file.subarray(0, headerBytesMax).indexOf(0x0a);
  if (end < 0) throw malformed('It has no header.');
  const { clusterBytes, secondBytes, doubtFrom, ...header } = parseHeader(new TextDecoder().decode(file.subarray(0, end)));
  const bytes = file.subarray(end + 1);
  const weightBytes = 1 << header.bits;
  const secondAt = weightBytes + clusterBytes;
  if (bytes.length !== secondAt + secondBytes) throw malformed('It is shorter or longer than its header says.');
  const clusters = clusterBytes === 0 ? null : WordClusters.parse(bytes.subarray(weightBytes, secondAt));
  if (clusters === null && clusterBytes > 0) throw malformed('Its groups of words are no table.');
  const second = doubtFrom === null ? null : { weights: secondOf(bytes.subarray(secondAt)), doubtFrom };
  return { ...header, clusters, second, weights: new Int8Array(bytes.buffer, bytes.byteOffset, weightBytes) };
}

function secondOf(bytes: Uint8Array): SecondWeights {
  const weights = parseSecond(bytes);
  if (weights === null) throw malformed('Its second reader is none.');
  return weights;
}

type Header = Omit<CompactWeights, 'weights' | 'clusters' | 'second'> & {
  readonly clusterBytes: number;
  readonly secondBytes: number;
  readonly doubtFrom: Doubts | null;
};

function parseHeader(text: string): Header {
  const header = parsed(text);
  const { format, features, version, bits, scale, lengthPenalty, bias, calibration } = header;
  // A model that was trained before there was a second reader says nothing of one.
  const { clusterBytes, secondBytes = 0, doubtFrom = null } = header;
  if (format !== magic) throw malformed('It is no model of this kind.');
  if (features !== featuresVersion) throw malformed('It was trained on other features.');
  const sound =
    typeof version === 'string' &&
    Number.isInteger(bits) &&
    Number(bits) > 0 &&
    Number(bits) <= bitsMax &&
    Number.isFinite(scale) &&
    isSize(clusterBytes) &&
    isSize(secondBytes) &&
    isDoubts(doubtFrom) &&
    (doubtFrom === null) === (secondBytes === 0) &&
    isPerChannel(lengthPenalty) &&
    isPerChannel(bias) &&
    isCalibration(calibration);
  if (!sound) throw malformed('Its header does not hold what it should.');
  return {
    version,
    bits: Number(bits),
    scale: Number(scale),
    lengthPenalty,
    bias,
    calibration,
    clusterBytes,
    secondBytes,
    doubtFrom,
  };
}

function isDoubts(value: unknown): value is Doubts | null {
  return value === null || isPerChannel(value);
}

function isSize(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0;
}

function parsed(text: string): { readonly [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Not JSON is as little a header as JSON that is no object.
  }
  throw malformed('Its header is no JSON object.');
}

function isPerChannel(value: unknown): value is CompactWeights['bias'] {
  return isRecord(value) && channels.every((channel) => Number.isFinite(value[channel]));
}

function isCalibration(value: unknown): value is Calibration {
  if (!isRecord(value) || !Number.isFinite(value['slope']) || !Number.isFinite(value['offset'])) return false;
  const knots = value['knots'];
  return isRecord(knots) && channels.every((channel) => isAscending(knots[channel]));
}

function isAscending(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === benignShares.length &&
    value.every((knot, index) => Number.isFinite(knot) && (index === 0 || knot >= Number(value[index - 1])))
  );
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(reason: string): FirewallError {
  return new FirewallError('FIREWALL_MODEL_MALFORMED', `The injection model cannot be used. ${reason}`);
}
