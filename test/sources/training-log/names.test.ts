import { expect, test } from 'vitest';
import { nameRank } from '../../../src/pipeline/sources/training-log/column-names.ts';
import { HELD_OUT, nameKind } from '../../../src/pipeline/sources/training-log/name-kinds.ts';

/** Names of columns as public training code writes them, and what they are; separated by a bar. */
const NAMES: Readonly<Record<string, string>> = {
  step:
    'step | steps | global_step | trainer/global_step | _step | iter | iteration | iterations | ' +
    'Iteration | it | itr | t | num_updates | n_iter | niter | update | train/global_step | ' +
    'train_step | total_train_step | optimizer_step | current_iter | cur_iter | step_number | ' +
    'step_num | iter_num | batch | batch_idx | epoch | Epoch | Train Epoch | epochs | ep | ' +
    'trainer/epoch | train/epoch | timestep | time_step | globalStep | numUpdates | gradient_step ' +
    '| s | index | time/total_timesteps | INFO step | train/step',
  threshold: 'threshold | stability_threshold',
  loss:
    'loss | Loss | train_loss | trainLoss | train/loss | Loss/train | loss/train | training_loss ' +
    '| Training Loss | train_loss_step | train_loss_epoch | train/loss_step | ' +
    'train/total_loss_iter | loss_train | full_loss | full_batch_loss | total_loss | loss/total | ' +
    'batch_loss | avg_loss | mean_loss | running_loss | metrics.loss | lm loss | lm_loss | trl | ' +
    'nll | nll_loss | mse | train_mse | mse_loss | MSE | cross_entropy | cross_entropy_loss | ' +
    'ce_loss | xent | train/xent | cost | objective | training/loss | RUN - train/loss | ' +
    'summer-sun-12 - loss | Train/Samples/train_loss | train.loss | epoch_loss | tr_loss | ' +
    'trainloss | losses | mean_squared_error | objective_function | step_loss | empirical_risk | ' +
    'train_risk | smoothed_loss | loss_avg | log_loss | train_nll | bce_loss | Train Loss',
  sharpness:
    'sharpness | Sharpness | train_sharpness | sharpness/train | sharpness/sharpness | ' +
    'preconditioned_sharpness | precond_sharpness | effective_sharpness | sharp | ' +
    'hessian_sharpness | batch_sharpness | step_sharpness | lambda_max | lambda max | lambdaMax | ' +
    'λ_max | λmax | λ₁ | max_lambda | hessian/lambda_max | run-1 - hessian/lambda_max | ' +
    'lambda_max_hessian | lambda_1 | lambda1 | lambda_0 | max_eig | max_eigenvalue | ' +
    'maxEigenvalue | max_eigval | max_eigenval | eig_max | eigenvalue_max | top_eig | ' +
    'top_eigenvalue | top_eigenvalues | top_hessian_eig | probe/top_hessian_eig | ' +
    'sharpness/top_hessian_eig | top_hessian_eigenvalue | hessian_top_eig | ' +
    'hessian_top_eigenvalue | hessian_max_eig | hessian_max_eigenvalue | hessian_eig_max | ' +
    'hessian_eigenvalue | hessian_eigenvalues | hessian.eigenvalues | hessian_eig_0 | ' +
    'hessian_eigen_max | largest_eigenvalue | largest_hessian_eigenvalue | leading_eigenvalue | ' +
    'dominant_eigenvalue | eigs | eigs/0 | eig0 | eig_0 | eig1 | eigenvalues | eigenvalue_0 | ' +
    'eigenvalues.0 | eigvals | evals | MaxEV | max_ev | lmax | topeig | maxeig | lambdamax | ' +
    'hessian_norm | hessian_spectral_norm | hess_max | max_hessian | hessian_max | max_curvature ' +
    '| curvature/top | spectral_norm | hessian/prec_H_max_eig | hess_eig | H_max_eig | top_eig_H ' +
    '| first_eigenvalue | eigenvalue',
  eta:
    'lr | LR | learning_rate | learning-rate | Learning Rate | learningRate | learningrate | eta ' +
    '| η | train/lr | train/learning_rate | lr-SGD | lr-Adam | lr-AdamW/pg1 | lr-Adam/pg1 | ' +
    'lr/pg0 | lr_0 | lr0 | lr/H_lr | optim/lr | optimizer/lr | step_size | stepsize | stepSize | ' +
    'current_lr | last_lr | group0_lr | param_group_0/lr | encoder_lr | policy_lr | ' +
    'Train/Samples/lr | opt_lr',
  nothing:
    'perplexity | ppl | train_ppl | acc | train_acc | accuracy | train_accuracy | error | ' +
    'train_error | grad_norm | gradient_norm | loss_scale | loss scale | loss_scaler | loss_std | ' +
    'loss_weight | best_loss | min_loss | loss_ratio | train_loss__MAX | time | step_time | time ' +
    'per step | elapsed time per iteration | steps_per_sec | steps_per_second | samples | ' +
    'consumed samples | tokens | tokens_per_sec | batch_size | global batch size | batch_time | ' +
    'data_time | max_steps | warmup_steps | val_step | lr_decay | lr_scale | lr-Adam-momentum | ' +
    'lr-Adam-weight_decay | weight_decay | momentum | max_lr | min_lr | eta_min | beta | lambda | ' +
    'reg_lambda | lambda_min | min_eig | hessian_min_eigenvalue | eig_min | lambda_2 | eig_2 | ' +
    'eigenvalue_3 | sharpness_2 | sharpness_ratio | sharpness_x_lr | update_curvature | ' +
    'gradient_curvature | ritz_value | ritz_error | ' +
    'sharpness/edge_2_over_lr | hessian_trace | trace | ntk_eig_0 | ntk_max_eig | eigenvector | ' +
    'eig_gap | condition_number | phase | memory | mem | reward | seed | gpu_mem | ' +
    'number of skipped iterations | num_train_epochs | num_batches | loss_fn_name',
  sharpness_error: 'sharpness_error | train/sharpness_error',
  batch_sharpness_error: 'batch_sharpness_error',
  l1: 'edge_energy | l1',
  l1_leading: 'edge_energies',
  edge_directions: 'edge_directions',
  'held-out':
    'val_loss | eval_loss | eval/loss | test_loss | Loss/test | validation_loss | valid_loss | ' +
    'dev_loss | val/sharpness',
};

const table = Object.entries(NAMES).flatMap(([kind, names]) =>
  names.split(' | ').map((name) => [name, kind] as const),
);

function kindOf(name: string): string {
  const kind = nameKind(name);
  if (!kind) return 'nothing';
  return kind.rank >= HELD_OUT ? 'held-out' : kind.field;
}

test('300 names of public training code are taken for what they are', () => {
  expect(table.length).toBeGreaterThanOrEqual(300);
  const wrong = table.filter(([name, kind]) => kindOf(name) !== kind);
  expect(wrong).toEqual([]);
});

test('case, camelCase, blanks, underscores and dashes make no difference', () => {
  for (const [name, kind] of table) {
    if (/[/.|λη]|\d| - /.test(name) || name.length < 4) continue;
    const words = name.split(/[\s_-]+/);
    const camel = words
      .map((word, i) => (i === 0 ? word : word[0]!.toUpperCase() + word.slice(1)))
      .join('');
    for (const other of [
      words.join(' '),
      words.join('_'),
      words.join('-'),
      name.toUpperCase(),
      camel,
    ])
      expect([other, kindOf(other)]).toEqual([other, kind]);
  }
});

/** Of two columns that could be it, the first is. */
test.each([
  ['loss', ['full_loss', 'loss', 'train_loss', 'train_mse', 'aux_loss', 'val_loss']],
  ['loss', ['train_loss_step', 'train_loss_epoch', 'ema_loss', 'policy_loss']],
  ['sharpness', ['sharpness', 'preconditioned_sharpness', 'lambda_max', 'eig_0', 'eig_1']],
  ['sharpness', ['hessian_max_eig', 'eigenvalues', 'batch_sharpness', 'test_sharpness']],
  ['step', ['step', 'iteration', 'num_updates', 'batch', 'epoch', 'index']],
  ['eta', ['lr', 'lr-SGD', 'lr-Adam/pg1', 'base_lr']],
] as const)('%s: %j, best first', (field, names) => {
  const ranks = names.map((name) => nameRank(field, name, true));
  expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  expect(ranks.every((rank) => rank < Number.POSITIVE_INFINITY)).toBe(true);
  expect(ranks[0]).toBeLessThan(ranks.at(-1)!);
});
