// SPDX-License-Identifier: Apache-2.0
import { featuresVersion } from './features.ts';
import type { Calibration, CompactWeights } from './compact-model.ts';
import { benignShares } from './compact-model.ts';
import { FirewallError } from './firewall-error.ts';
import { WordClusters } from './word-clusters.ts';
import { channels } from '../message/channel.ts';

const magic = 'maso-injection-model';
/** Long enough for every header that `encodeModel` writes. */
const headerBytesMax = 64 * 1024;
const bitsMax = 24;

/** One line of JSON, a line feed, the weights, one signed byte each, and the groups of words. */
export function encodeModel(model: CompactWeights): Uint8Array {
  const { weights, clusters, ...rest } = model;
  const table = clusters?.bytes ?? new Uint8Array();
  const header = new TextEncoder().encode(
    `${JSON.stringify({ format: magic, features: featuresVersion, ...rest, clusterBytes: table.length })}\n`,
  );
  const file = new Uint8Array(header.length + weights.length + table.length);
  file.set(header);
  file.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.length), header.length);
  file.set(table, header.length + weights.length);
  return file;
}

/**
 * Reads a model file. Throws `FirewallError` FIREWALL_MODEL_MALFORMED when it is none, or was
 * trained on features of another version: its weights would mean nothing.
 */
export function decodeModel(file: Uint8Array): CompactWeights {
  const end = file.subarray(0, headerBytesMax).indexOf(0x0a);
  if (end < 0) throw malformed('It has no header.');
  const { clusterBytes, ...header } = parseHeader(new TextDecoder().decode(file.subarray(0, end)));
  const bytes = file.subarray(end + 1);
  const weightBytes = 1 << header.bits;
  if (bytes.length !== weightBytes + clusterBytes) throw malformed('It is shorter or longer than its header says.');
  const clusters = clusterBytes === 0 ? null : WordClusters.parse(bytes.subarray(weightBytes));
  if (clusters === null && clusterBytes > 0) throw malformed('Its groups of words are no table.');
  return { ...header, clusters, weights: new Int8Array(bytes.buffer, bytes.byteOffset, weightBytes) };
}

type Header = Omit<CompactWeights, 'weights' | 'clusters'> & { readonly clusterBytes: number };

function parseHeader(text: string): Header {
  const header = parsed(text);
  const { format, features, version, bits, scale, lengthPenalty, bias, calibration, clusterBytes } = header;
  if (format !== magic) throw malformed('It is no model of this kind.');
  if (features !== featuresVersion) throw malformed('It was trained on other features.');
  const sound =
    typeof version === 'string' &&
    Number.isInteger(bits) &&
    Number(bits) > 0 &&
    Number(bits) <= bitsMax &&
    Number.isFinite(scale) &&
    Number.isInteger(clusterBytes) &&
    Number(clusterBytes) >= 0 &&
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
    clusterBytes: Number(clusterBytes),
  };
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
