import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { openLog } from '../../../src/pipeline/node/open-log.ts';
import { parseEta } from '../../../src/pipeline/sources/training-log/eta-schedule.ts';
import type { LogInput } from '../../../src/pipeline/sources/training-log/feed.ts';
import {
  type LogOptions,
  trainingLog,
} from '../../../src/pipeline/sources/training-log/training-log.ts';
import { root } from '../../setup/parts.ts';

interface Format {
  /** As it stands in the table of the docs. */
  readonly what: string;
  readonly files: readonly string[];
  readonly rows: number;
  readonly columns: Readonly<Record<string, string>>;
  readonly eta?: string;
}

const FORMATS: readonly Format[] = [
  {
    what: 'nanoGPT',
    files: ['cases/21-nanogpt.txt'],
    rows: 60,
    columns: { step: 'iter', loss: 'loss' },
  },
  {
    what: 'llm.c',
    files: ['cases/22-llmc-main.log'],
    rows: 200,
    columns: { step: 's', loss: 'trl', eta: 'lr' },
  },
  {
    what: 'Megatron-LM',
    files: ['formats/megatron.log'],
    rows: 5,
    columns: { step: 'iteration', loss: 'lm loss', eta: 'learning rate' },
  },
  {
    what: 'fairseq',
    files: ['formats/fairseq.log'],
    rows: 5,
    columns: { step: 'num_updates', loss: 'loss', eta: 'lr' },
  },
  {
    what: 'Keras',
    files: ['formats/keras.log'],
    rows: 5,
    columns: { step: 'Epoch', loss: 'loss' },
  },
  {
    what: 'Hugging Face',
    files: ['formats/huggingface.log'],
    rows: 5,
    columns: { step: 'epoch', loss: 'loss', eta: 'learning_rate' },
  },
  {
    what: '`Epoch [1/250], Loss: …`',
    files: ['formats/epoch-of.log'],
    rows: 5,
    columns: { step: 'Epoch', loss: 'Loss', eta: 'LR' },
  },
  {
    what: 'Python logging before JSON',
    files: ['formats/logging-json.log'],
    rows: 5,
    columns: { step: 'step', loss: 'loss', sharpness: 'sharpness', eta: 'lr' },
  },
  {
    what: '`name=value`',
    files: ['cases/23-key-value.txt'],
    rows: 60,
    columns: { step: 'step', loss: 'loss', sharpness: 'sharpness', eta: 'lr' },
  },
  {
    what: 'Lightning CSVLogger',
    files: ['cases/05-lightning-metrics.csv'],
    rows: 200,
    columns: { step: 'step', loss: 'train_loss_step', sharpness: 'sharpness', eta: 'lr-SGD' },
  },
  {
    what: 'W&B panels',
    files: ['formats/wandb-panel.csv', 'formats/wandb-sharpness.csv'],
    rows: 5,
    columns: { loss: 'run-1 - train/loss', sharpness: 'run-1 - hessian/lambda_max' },
    eta: '0.1',
  },
  {
    what: 'TensorBoard CSV',
    files: ['formats/run-tag-train_loss.csv', 'formats/run-tag-sharpness.csv'],
    rows: 5,
    columns: { step: 'Step', loss: 'train_loss', sharpness: 'sharpness' },
    eta: '0.1',
  },
  {
    what: 'MLflow metric files',
    files: ['formats/loss', 'formats/lambda_max'],
    rows: 5,
    columns: { step: 'step', loss: 'loss', sharpness: 'lambda_max' },
    eta: '0.1',
  },
  {
    what: '`np.savetxt`',
    files: ['cases/17-savetxt.csv'],
    rows: 240,
    columns: { step: 'step', loss: 'loss', sharpness: 'sharpness' },
    eta: '0.1',
  },
  {
    what: 'nested objects',
    files: ['formats/nested.ndjson'],
    rows: 5,
    columns: { loss: 'train.loss', sharpness: 'hessian.eigenvalues', eta: 'optim.lr' },
  },
  {
    what: 'JSON keyed by step',
    files: ['cases/26-keyed-by-step.json'],
    rows: 90,
    columns: { step: 'step', loss: 'loss', sharpness: 'sharpness' },
    eta: '0.1',
  },
  {
    what: 'lists in cells',
    files: ['cases/28-list-in-a-cell.csv'],
    rows: 90,
    columns: { loss: 'loss', sharpness: 'eigenvalues' },
    eta: '0.1',
  },
  {
    what: 'epoch and batch',
    files: ['cases/15-epoch-batch.csv'],
    rows: 500,
    columns: { loss: 'loss', sharpness: 'sharpness', eta: 'lr' },
  },
  {
    what: 'fractional epochs',
    files: ['formats/fractional-epochs.csv'],
    rows: 5,
    columns: { step: 'epoch', loss: 'loss' },
  },
  {
    what: 'thousands separators',
    files: ['formats/thousands.csv'],
    rows: 5,
    columns: { step: 'step', loss: 'loss', sharpness: 'sharpness' },
    eta: '0.1',
  },
  {
    what: 'rows out of order',
    files: ['cases/14-out-of-order.csv'],
    rows: 500,
    columns: { step: 'step', loss: 'train_loss', sharpness: 'sharpness' },
    eta: '0.1',
  },
  {
    what: 'eos-watch',
    files: ['formats/watch.ndjson'],
    rows: 5,
    columns: { step: 'step', loss: 'loss', sharpness: 'sharpness', eta: 'lr' },
  },
  {
    what: "PyTorch's MNIST example",
    files: ['formats/pytorch-mnist.log'],
    rows: 5,
    columns: { step: 'Train Epoch', loss: 'Loss' },
  },
  {
    what: "PyTorch's ImageNet example",
    files: ['formats/pytorch-imagenet.log'],
    rows: 5,
    columns: { step: 'Epoch', loss: 'Loss' },
  },
  {
    what: '`Epoch [1/2], Step [100/300], …`',
    files: ['formats/epoch-step.log'],
    rows: 5,
    columns: { step: 'Step', loss: 'Loss' },
  },
  {
    what: 'MMDetection',
    files: ['formats/mmdetection.log'],
    rows: 5,
    columns: { loss: 'loss', eta: 'lr' },
  },
  {
    what: 'Detectron2',
    files: ['formats/detectron2.log'],
    rows: 5,
    columns: { step: 'iter', loss: 'total_loss', eta: 'lr' },
  },
  {
    what: 'DeepSpeed',
    files: ['formats/deepspeed.log'],
    rows: 5,
    columns: { step: 'iteration', loss: 'lm loss', eta: 'learning rate' },
  },
  {
    what: 'progress bars of tqdm',
    files: ['formats/tqdm.log'],
    rows: 5,
    columns: { loss: 'loss', sharpness: 'sharpness', eta: 'lr' },
  },
  {
    what: 'symbols',
    files: ['formats/iteration-of.log'],
    rows: 5,
    columns: { step: 'iteration', loss: 'total loss', sharpness: 'λ_max H', eta: 'η' },
  },
  {
    what: 'Hugging Face trainer_state.json',
    files: ['formats/trainer_state.json'],
    rows: 5,
    columns: { step: 'step', loss: 'loss', eta: 'learning_rate' },
  },
  {
    what: 'Keras history as JSON',
    files: ['formats/history.json'],
    rows: 5,
    columns: { loss: 'loss', sharpness: 'sharpness', eta: 'learning_rate' },
  },
  {
    what: 'lists of every k-th step',
    files: ['formats/step-interval.json'],
    rows: 5,
    columns: { loss: 'loss', sharpness: 'topEigenvalue' },
  },
  {
    what: 'W&B export with bounds',
    files: ['formats/wandb-export.csv'],
    rows: 5,
    columns: { step: 'Step', loss: 'tanh-run - train/loss' },
  },
  {
    what: 'epoch and batch in NDJSON',
    files: ['formats/batch-epoch.ndjson'],
    rows: 5,
    columns: { step: 'batch_idx', loss: 'train_loss', sharpness: 'eigs', eta: 'lr' },
  },
  {
    what: 'TensorBoard event files',
    files: ['formats/events.out.tfevents.1.simple'],
    rows: 5,
    columns: { loss: 'Loss/train', sharpness: 'hessian/top_eig', eta: 'lr-SGD' },
  },
  {
    what: 'TensorBoard event files of TF 2',
    files: ['formats/events.out.tfevents.2.tensor'],
    rows: 5,
    columns: { loss: 'train/loss', sharpness: 'lambda_max', eta: 'learning_rate' },
  },
  {
    what: "TensorBoard's `add_scalars`",
    files: ['formats/add-scalars'],
    rows: 6,
    columns: { loss: 'metrics/loss/train', sharpness: 'sharpness', eta: 'lr' },
  },
  {
    what: "llm.c's own output",
    files: ['formats/llmc-stdout.log'],
    rows: 8,
    columns: { step: 'step', loss: 'loss', eta: 'lr' },
  },
  {
    what: 'bars that are written over',
    files: ['formats/tqdm-over.log'],
    rows: 20,
    columns: { step: 'step', loss: 'loss' },
  },
  {
    what: "Keras' bars",
    files: ['formats/keras-bars.log'],
    rows: 19,
    columns: { step: 'Epoch', loss: 'loss' },
  },
  {
    what: 'Hugging Face with its bar',
    files: ['formats/huggingface-bars.log'],
    rows: 19,
    columns: { loss: 'loss', eta: 'learning_rate' },
  },
  {
    what: 'torchtitan in colours',
    files: ['formats/torchtitan.log'],
    rows: 6,
    columns: { step: 'step', loss: 'loss' },
  },
  {
    what: 'pandas as JSON',
    files: ['formats/pandas.json'],
    rows: 20,
    columns: { step: 'step', loss: 'loss', sharpness: 'sharpness' },
    eta: '0.1',
  },
  {
    what: 'pandas as JSON, split',
    files: ['formats/pandas-split.json'],
    rows: 20,
    columns: { step: 'step', loss: 'loss', sharpness: 'sharpness' },
    eta: '0.1',
  },
  {
    what: 'Sacred',
    files: ['formats/sacred.json'],
    rows: 20,
    columns: { step: 'step', loss: 'training.loss' },
  },
  {
    what: '`.npy`',
    files: ['formats/loss.npy', 'formats/sharpness.npy'],
    rows: 5,
    columns: { loss: 'loss', sharpness: 'sharpness' },
    eta: '0.1',
  },
  {
    what: '`.npy` of records',
    files: ['formats/records.npy'],
    rows: 5,
    columns: { step: 'step', loss: 'loss', sharpness: 'eigs' },
    eta: '0.1',
  },
  {
    what: '`.npz`',
    files: ['formats/run.npz'],
    rows: 5,
    columns: { step: 'step', loss: 'loss', sharpness: 'sharpness' },
  },
];

const docs = readFileSync(join(root, 'docs/detect.md'), 'utf8');

async function inputOf(file: string): Promise<LogInput> {
  const path = join(import.meta.dirname, file);
  if (statSync(path).isDirectory()) return openLog(path);
  return {
    name: basename(file),
    chunks: (async function* () {
      yield readFileSync(path);
    })(),
  };
}

test.each(FORMATS)('$what', async ({ files, rows, columns, eta }) => {
  const inputs = await Promise.all(files.map(inputOf));
  const options: LogOptions = eta === undefined ? {} : { eta: parseEta(eta) };
  const batches = await lastValueFrom(
    trainingLog({ others: inputs.slice(1), ...inputs[0]! }, options).pipe(toArray()),
  );
  const { tally } = batches[0]!.run;
  expect(batches.reduce((sum, { length }) => sum + length, 0)).toBe(rows);
  expect(tally.columns).toMatchObject(columns);
  const steps = batches.flatMap((batch) => [...batch.columns.step]);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  for (const { columns: values } of batches) {
    if (columns.loss) expect(values.loss.some(Number.isFinite)).toBe(true);
    if (columns.sharpness) expect(values.sharpness.some(Number.isFinite)).toBe(true);
    if (columns.eta) expect(values.eta.every((value) => value > 0)).toBe(true);
  }
});

test('the table of the docs has these formats, and no others', () => {
  const table = docs.slice(docs.indexOf('| log | example |'), docs.indexOf('For anything else'));
  const said = table
    .trim()
    .split('\n')
    .slice(2)
    .filter((row) => row.startsWith('|'))
    .map((row) => /^\| (.*?) \| /.exec(row)?.[1]);
  expect(said.toSorted()).toEqual(FORMATS.map(({ what }) => what).toSorted());
});
