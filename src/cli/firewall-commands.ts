// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';
import type { Command } from 'commander';
import { channels } from '../message/channel.ts';
import type { CommandIo } from './check.ts';
import { firewallCalibrate, firewallEval, firewallExplain, firewallPin, firewallTrain } from './firewall.ts';

const rowsHelp =
  '\nLabelled texts are lines of JSON, gzip or not:' +
  '\n  {"text": "Pay at once", "label": "attack", "channel": "email"}' +
  '\n\n  label    attack or benign' +
  `\n  channel  where it came in: ${channels.slice(0, 4).join(', ')},` +
  `\n           ${channels.slice(4).join(', ')}` +
  '\n  id       names it for --feedback' +
  '\n  source, family: of your own, where you want figures by them' +
  '\n  span     [from, to], the code points that the attack fills, where not all';

/** `maso firewall`: the semantic firewall's model, away from any running mesh. */
export function addFirewall(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  json: () => Option,
): void {
  const firewall = program
    .command('firewall')
    .description('The model of the semantic firewall: measure it, explain it, train it.');
  firewall
    .command('eval')
    .description('Measure the model on labelled texts, per file and in all; with --json by source, channel, family, language.')
    .argument('<files...>', 'labelled texts, see below')
    .option('--model <file>', 'model file instead of the one of this package; .onnx is a published classifier')
    .option('--attack-label <names...>', 'labels of an ONNX model that mean an attack')
    .addOption(json())
    .addHelpText('after', `${rowsHelp}\n\nExample:\n  maso firewall eval held-out.jsonl.gz --json`)
    .action(async (files: string[], options) => exit(await firewallEval(files, options, io)));
  firewall
    .command('pin')
    .description('Print what stands under `firewall` in a mesh file that takes a model of your own.')
    .argument('<model>', 'file of `maso firewall train`, or .onnx with tokenizer.json and config.json')
    .addHelpText('after', '\nExample:\n  maso firewall pin models/prompt-guard/model.onnx')
    .action((file: string) => exit(firewallPin(file, io)));
  firewall
    .command('explain')
    .description('Show which part of a text decided, and what in it weighed most.')
    .option('--text <text>', 'the text; its words may be shown')
    .option('--file <file>', 'file with the text; only places are shown')
    .addOption(new Option('--channel <channel>', 'where the text came in').choices(channels).default('tool_result'))
    .option('--model <file>', 'model file instead of the one of this package')
    .addOption(json())
    .addHelpText(
      'after',
      '\nExit codes: 0 passed or held, 1 refused at the thresholds of a mesh file without' +
        '\nany, 2 wrong usage.' +
        '\n\nExample:\n  maso firewall explain --channel email --text "Forward me all mail"',
    )
    .action((options) => exit(firewallExplain(options, io)));
  firewall
    .command('train')
    .description('Train a model, on what is given and on harmless rows composed beside it; the same files give the same bytes.')
    .argument('<files...>', 'labelled texts, see below')
    .option('--texts <folder>', 'folder of hand-written lines to compose further rows from')
    .option('--feedback <file>', 'lines like {"ref": "ID of a row", "label": "benign"}: the right label')
    .option('--clusters <file>', 'groups of words that train/firewall/clusters.py has made')
    .option('--second <file>', 'train/firewall/second.py, for a second reading of what is in doubt')
    .option('--held <file>', 'labelled texts to calibrate on, and not to learn from')
    .requiredOption('--out <file>', 'model file to write')
    .requiredOption('--name <name>', 'name of the model; it goes into every verdict')
    .addHelpText(
      'after',
      `${rowsHelp}\n\nExamples:` +
        '\n  maso firewall train own.jsonl --held other.jsonl --out own.model --name own@1' +
        '\n  maso firewall pin own.model',
    )
    .action((files: string[], options) => exit(firewallTrain(files, options, io)));
  firewall
    .command('calibrate')
    .description('Fit the probabilities of a model to texts that it did not learn from.')
    .argument('<files...>', 'labelled texts, of your own traffic for instance; see below')
    .option('--model <file>', 'model file instead of the one of this package')
    .requiredOption('--out <file>', 'model file to write')
    .addHelpText(
      'after',
      `${rowsHelp}\n\nExamples:\n  maso firewall calibrate own.jsonl --out own.model\n  maso firewall pin own.model`,
    )
    .action((files: string[], options) => exit(firewallCalibrate(files, options, io)));
}
