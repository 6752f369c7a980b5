/* The work in C: cc -O3 -march=native kernel.c -lm. Prints one JSON line.
 *
 *   kernel bare STEPS LAMBDA2        only the three weights
 *   kernel W1   STEPS LAMBDA2        every column of a run file, blocks of rows in arrays, no file
 *   kernel W3   STEPS LAMBDA2 RUNS   many runs, one after the other, only each run's summary kept
 *   kernel W3-bounds …               the same with S only where bounds leave it open, and ln L̂ from a near neighbour
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS 4096
#define PROBES 6
#define LAMBDA1 100.0
#define FLOOR 1e-6
#define BAND 0.05
#define DELTA 0.01
#define EPSILON 1e-8
#define KAPPA 0.05

enum phase { SHARPENING, EDGE, CONVERGENCE };

typedef struct {
    int64_t step[ROWS];
    double alpha[ROWS], beta1[ROWS], beta2[ROWS], log10_abs_beta1[ROWS];
    double loss[ROWS], l1[ROWS], l2[ROWS], l_hat[ROWS], grad_norm[ROWS];
    double sharpness[ROWS], sharpness_ratio[ROWS], gfs_sharpness[ROWS], balance[ROWS];
    uint8_t regime[ROWS], phase[ROWS];
    int32_t cycle[ROWS];
} block;

static double processor_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Largest root of x = a + b²/(x − d1) + c²/(x − d2): the first pole exact, the second linearised at the last x.
 * The error left after a step is about c²/(x − d2)³ (step)², so the step tells when 1e-12 is safely reached. */
static inline double largest_root(double a, double b, double c, double d1, double d2) {
    double x = (a > d1 ? a : d1) + fabs(b) + fabs(c), b2 = b * b, c2 = c * c;
    for (int k = 0; k < 40; k++) {
        double inverse = 1 / (x - d2), g = c2 * inverse, slope = g * inverse, s = 1 + slope;
        double m = a + g + slope * x - s * d1, root = sqrt(m * m + 4 * s * b2);
        double y = m > 0 ? (m + root) / (2 * s) : m < 0 ? 2 * b2 / (root - m) : root / (2 * s);
        double next = d1 + y, change = next - x;
        x = next;
        if (slope * inverse * change * change <= 1e-14 * x) break;
    }
    return x;
}

static inline double sharpness_of(double alpha, double beta1, double beta2, double lambda2) {
    double a = LAMBDA1 * beta1 * beta1 + lambda2 * beta2 * beta2;
    return largest_root(a, 2 * LAMBDA1 * alpha * beta1, lambda2 * (2 * alpha * beta2 - 1), LAMBDA1 * alpha * alpha,
                        lambda2 * alpha * alpha);
}

static inline double gfs_sharpness_of(double q, double lambda2) {
    double root = sqrt(q * q + 4), square, inverse;
    if (q >= 0) {
        square = (q + root) / 2;
        inverse = 1 / square;
    } else {
        inverse = (root - q) / 2;
        square = 1 / inverse;
    }
    double top = LAMBDA1 * square, other = lambda2 * (square + inverse);
    return top > other ? top : other;
}

static inline double floored(double beta1) {
    if (fabs(beta1) >= FLOOR) return beta1;
    return beta1 < 0 ? -FLOOR : FLOOR;
}

static void print_row(const block *rows, int64_t i, int first) {
    static const char *names[] = {"alpha", "beta1", "beta2", "log10_abs_beta1", "loss", "l1", "l2", "l_hat",
                                  "grad_norm", "sharpness", "sharpness_ratio", "gfs_sharpness", "balance"};
    const double *columns[] = {rows->alpha, rows->beta1, rows->beta2, rows->log10_abs_beta1, rows->loss, rows->l1,
                               rows->l2, rows->l_hat, rows->grad_norm, rows->sharpness, rows->sharpness_ratio,
                               rows->gfs_sharpness, rows->balance};
    long long t = rows->step[i];
    for (int c = 0; c < 13; c++) printf("%s\"%lld.%s\":%.17g", first && c == 0 ? "" : ",", t, names[c], columns[c][i]);
    printf(",\"%lld.regime\":%d,\"%lld.phase\":%d,\"%lld.cycle\":%d", t, rows->regime[i], t, rows->phase[i], t,
           rows->cycle[i]);
}

typedef struct {
    double eta, lambda2, alpha, beta1, beta2, residual, last_sharpness;
    int64_t step;
    enum phase phase;
    int cycle;
} state;

static void fill(state *s, block *rows, int64_t count) {
    const double eta = s->eta, lambda2 = s->lambda2, threshold = 2 / eta, threshold_delta = (2 + DELTA) / eta;
    const double alpha_hat = sqrt(threshold / LAMBDA1);
    double alpha = s->alpha, beta1 = s->beta1, beta2 = s->beta2, r = s->residual;
    double last = s->last_sharpness;
    enum phase phase = s->phase;
    int cycle = s->cycle;
    for (int64_t i = 0; i < count; i++) {
        double p = alpha * beta1, e1 = LAMBDA1 * p, e2 = lambda2 * r;
        double l1 = 0.5 * e1 * p, l2 = 0.5 * e2 * r, pinned = copysign(alpha_hat, alpha) * beta2 - 1;
        double g_alpha = beta1 * e1 + beta2 * e2, g_beta1 = alpha * e1, g_beta2 = alpha * e2;
        double q = alpha * alpha - beta1 * beta1 - beta2 * beta2;
        double sharpness = sharpness_of(alpha, beta1, beta2, lambda2), ratio = 0.5 * eta * sharpness;
        double gfs = gfs_sharpness_of(q, lambda2);
        if (sharpness >= threshold) {
            if (last < threshold) cycle++;
            if (phase == SHARPENING) phase = EDGE;
        }
        if (phase == CONVERGENCE) {
            if (sharpness > threshold_delta) phase = EDGE;
        } else if (sharpness <= threshold_delta && gfs <= threshold_delta && sharpness >= (1 - KAPPA) * gfs) {
            phase = CONVERGENCE;
        }
        rows->step[i] = s->step + i;
        rows->alpha[i] = alpha;
        rows->beta1[i] = beta1;
        rows->beta2[i] = beta2;
        rows->log10_abs_beta1[i] = log(fabs(beta1)) * M_LOG10E;
        rows->loss[i] = l1 + l2;
        rows->l1[i] = l1;
        rows->l2[i] = l2;
        rows->l_hat[i] = 0.5 * lambda2 * pinned * pinned;
        rows->grad_norm[i] = sqrt(g_alpha * g_alpha + g_beta1 * g_beta1 + g_beta2 * g_beta2);
        rows->sharpness[i] = sharpness;
        rows->sharpness_ratio[i] = ratio;
        rows->regime[i] = ratio < 1 - BAND ? 0 : ratio > 1 + BAND ? 2 : 1;
        rows->gfs_sharpness[i] = gfs;
        rows->balance[i] = q;
        rows->phase[i] = phase == SHARPENING ? 0 : phase == CONVERGENCE ? 3 : alpha * g_alpha < 0 ? 1 : 2;
        rows->cycle[i] = cycle;
        last = sharpness;
        /* Near a minimum αβ₂ has lost the digits of αβ₂ − 1, which is carried along there. */
        double carried = r - eta * (beta2 * g_alpha + alpha * g_beta2 - eta * g_alpha * g_beta2);
        alpha -= eta * g_alpha;
        beta1 = floored(beta1 - eta * g_beta1);
        beta2 -= eta * g_beta2;
        r = fabs(r) < 1. / 1024 ? carried : alpha * beta2 - 1;
    }
    *s = (state){eta, lambda2, alpha, beta1, beta2, r, last, s->step + count, phase, cycle};
}

static state start(double eta, double lambda2, double alpha, double beta1, double beta2) {
    return (state){eta, lambda2, alpha, beta1, beta2, alpha * beta2 - 1, -1, 0, SHARPENING, 0};
}

static void columns_work(int64_t steps, double lambda2) {
    static block rows;
    int64_t probes[PROBES] = {0, 1000, 2015, 5000, 10000, steps};
    block *kept = calloc(PROBES, sizeof(block));
    state warm_up = start(0.05, lambda2, 0.3, 0.1, 0.3);
    for (int k = 0; k < 50; k++) fill(&warm_up, &rows, ROWS);

    double begin = now(), begun = processor_time();
    state s = start(0.05, lambda2, 0.3, 0.1, 0.3);
    for (int64_t total = steps + 1; s.step < total;) {
        int64_t first = s.step, count = total - first < ROWS ? total - first : ROWS;
        fill(&s, &rows, count);
        for (int k = 0; k < PROBES; k++) {
            if (probes[k] >= first && probes[k] < first + count) memcpy(&kept[k], &rows, sizeof rows);
        }
    }
    double seconds = now() - begin, processor = processor_time() - begun;

    printf("{\"work\":\"W1\",\"seconds\":%.9f,\"processor\":%.9f,\"steps\":%lld,\"check\":{", seconds, processor,
           (long long)steps);
    for (int k = 0, first = 1; k < PROBES; k++) {
        if (probes[k] > steps || (k > 0 && probes[k] == probes[k - 1])) continue;
        print_row(&kept[k], probes[k] % ROWS, first);
        first = 0;
    }
    printf("}}\n");
}

static void bare_work(int64_t steps, double lambda2) {
    double alpha = 0.3, beta1 = 0.1, beta2 = 0.3, eta = 0.05, begin = now();
    for (int64_t t = 0; t < steps; t++) {
        double e1 = LAMBDA1 * alpha * beta1, e2 = lambda2 * (alpha * beta2 - 1);
        double g_alpha = beta1 * e1 + beta2 * e2;
        beta1 = floored(beta1 - eta * alpha * e1);
        beta2 -= eta * alpha * e2;
        alpha -= eta * g_alpha;
    }
    printf("{\"work\":\"bare\",\"seconds\":%.9f,\"steps\":%lld,\"check\":{\"alpha\":%.17g,\"beta1\":%.17g,\"beta2\":%.17g}}\n",
           now() - begin, (long long)steps, alpha, beta1, beta2);
}

typedef struct {
    int64_t first_crossing, diverged_at, convergence_time, phases, phase_starts, edge_steps;
    int cycles;
    double max_ratio, final_loss, slope, mean_l1, mean_l1_predicted;
} summary;

/* S and ln L̂ at every step, as a first version has them. */
static summary plain_summary(double eta, double lambda2, double alpha, double beta1, double beta2,
                             int64_t steps) {
    const double threshold = 2 / eta, threshold_delta = (2 + DELTA) / eta, alpha_hat = sqrt(threshold / LAMBDA1);
    summary out = {.first_crossing = -1, .diverged_at = -1, .convergence_time = 0, .slope = NAN, .mean_l1 = NAN,
                   .mean_l1_predicted = NAN};
    double last = -1, max_sharpness = 0, sum_l1 = 0, sum_predicted = 0;
    double sum_t = 0, sum_tt = 0, sum_y = 0, sum_ty = 0, logs = 0;
    int phase = -1;
    for (int64_t t = 0; t <= steps; t++) {
        double p = alpha * beta1, r = alpha * beta2 - 1, e1 = LAMBDA1 * p, e2 = lambda2 * r;
        double l1 = 0.5 * e1 * p, loss = l1 + 0.5 * e2 * r;
        if (!(loss <= 1e12)) {
            out.diverged_at = t;
            break;
        }
        double sharpness = sharpness_of(alpha, beta1, beta2, lambda2);
        int next = phase < 0 ? SHARPENING : phase;
        if (sharpness >= threshold) {
            if (last < threshold) out.cycles++;
            if (next == SHARPENING) next = EDGE;
        }
        if (next == CONVERGENCE) {
            if (sharpness > threshold_delta) next = EDGE;
        } else if (sharpness <= threshold_delta) {
            double gfs = gfs_sharpness_of(alpha * alpha - beta1 * beta1 - beta2 * beta2, lambda2);
            if (gfs <= threshold_delta && sharpness >= (1 - KAPPA) * gfs) next = CONVERGENCE;
        }
        if (next != phase) {
            phase = next;
            out.phases++;
            out.phase_starts += t;
        }
        if (phase == EDGE) {
            if (out.first_crossing < 0) out.first_crossing = t;
            double pinned = copysign(alpha_hat, alpha) * beta2 - 1, l_hat = 0.5 * lambda2 * pinned * pinned;
            double along = alpha < 0 ? -beta2 : beta2;
            out.edge_steps++;
            sum_l1 += l1;
            sum_predicted += 0.5 * alpha_hat * lambda2 * along * (1 - alpha_hat * along);
            if (l_hat > 0) {
                double u = (double)(t - out.first_crossing), y = log(l_hat);
                logs++;
                sum_t += u;
                sum_tt += u * u;
                sum_y += y;
                sum_ty += u * y;
            }
        }
        if (loss > EPSILON || sharpness > threshold_delta) out.convergence_time = t + 1;
        if (sharpness > max_sharpness) max_sharpness = sharpness;
        out.final_loss = loss;
        last = sharpness;
        double g_alpha = beta1 * e1 + beta2 * e2;
        beta1 = floored(beta1 - eta * alpha * e1);
        beta2 -= eta * alpha * e2;
        alpha -= eta * g_alpha;
    }
    out.max_ratio = 0.5 * eta * max_sharpness;
    if (out.convergence_time > steps || out.diverged_at >= 0) out.convergence_time = -1;
    if (out.edge_steps > 50) {
        out.slope = (logs * sum_ty - sum_t * sum_y) / (logs * sum_tt - sum_t * sum_t);
        out.mean_l1 = sum_l1 / (double)out.edge_steps;
        out.mean_l1_predicted = sum_predicted / (double)out.edge_steps;
    }
    return out;
}

/* log(1 + z) for |z| < 2⁻⁷ to the last bit or two: L̂ hardly differs between neighbouring steps. */
static inline double log_near(double z) {
    return z * (1 - z * (1 / 2. - z * (1 / 3. - z * (1 / 4. - z * (1 / 5. - z * (1 / 6. - z * (1 / 7.)))))));
}

/* What the summary asks of S is on which side of two thresholds it is, and its maximum. With d1 = λ₁α² and b = 2λ₁αβ₁ it
 * lies between d1 and d1 + 4b²/d1 where the rest of the Hessian is small beside d1, which settles that at nearly all
 * steps. The maximum is kept as a pair of bounds, and computed only where another step may be larger. */
static summary run_summary(double eta, double lambda2, double alpha, double beta1, double beta2, int64_t steps) {
    const double threshold = 2 / eta, threshold_delta = (2 + DELTA) / eta, alpha_hat = sqrt(threshold / LAMBDA1);
    const double below = threshold * (1 - 1e-9), above_delta = threshold_delta * (1 + 1e-9);
    const double square = threshold_delta / LAMBDA1, flat = square - 1 / square + 1e-9 * (square + 1 / square);
    const double spread = 32 * LAMBDA1 * (1 + 1e-9);
    summary out = {.first_crossing = -1, .diverged_at = -1, .convergence_time = 0, .slope = NAN, .mean_l1 = NAN,
                   .mean_l1_predicted = NAN};
    double least = -1, most = -1, top_alpha = alpha, top_beta1 = beta1, top_beta2 = beta2;
    double sum_l1 = 0, sum_predicted = 0, reference = NAN, inverse = NAN, log_reference = 0;
    double sum_t = 0, sum_tt = 0, sum_y = 0, sum_ty = 0, logs = 0;
    int phase = -1, was_over = 0;
    for (int64_t t = 0; t <= steps; t++) {
        double p = alpha * beta1, r = alpha * beta2 - 1, e1 = LAMBDA1 * p, e2 = lambda2 * r;
        double l1 = 0.5 * e1 * p, loss = l1 + 0.5 * e2 * r;
        if (!(loss <= 1e12)) {
            out.diverged_at = t;
            break;
        }
        double d1 = LAMBDA1 * alpha * alpha, high = d1 * d1 + spread * l1, c = 3 * lambda2 * (2 * r + 1);
        int bounded = 2 * (LAMBDA1 * beta1 * beta1 + lambda2 * beta2 * beta2) <= d1 && c * c <= d1 * d1;
        int above = d1 > above_delta, settled = bounded && (above || high < below * d1);
        int rival = !bounded || high >= least * d1, leads = rival && settled && d1 > most;
        double s = settled && (leads || !rival) ? -1 : sharpness_of(alpha, beta1, beta2, lambda2);
        int over = s < 0 ? above : s >= threshold, within = s < 0 ? !above : s <= threshold_delta;
        if (leads) {
            least = d1;
            most = high / d1 * (1 + 1e-9);
            top_alpha = alpha;
            top_beta1 = beta1;
            top_beta2 = beta2;
        } else if (rival) {
            if (most > least) least = most = sharpness_of(top_alpha, top_beta1, top_beta2, lambda2);
            if (s > least) least = most = s;
        }
        int next = phase < 0 ? SHARPENING : phase;
        if (over) {
            if (!was_over) out.cycles++;
            if (next == SHARPENING) next = EDGE;
        }
        was_over = over;
        if (next == CONVERGENCE) {
            if (!within) next = EDGE;
        } else if (within) {
            double q = alpha * alpha - beta1 * beta1 - beta2 * beta2;
            if (q <= flat) {
                double gfs = gfs_sharpness_of(q, lambda2);
                if (gfs <= threshold_delta && !(bounded && high < (1 - KAPPA - 1e-9) * gfs * d1)) {
                    double exact = s < 0 ? sharpness_of(alpha, beta1, beta2, lambda2) : s;
                    if (exact >= (1 - KAPPA) * gfs) next = CONVERGENCE;
                }
            }
        }
        if (next != phase) {
            phase = next;
            out.phases++;
            out.phase_starts += t;
        }
        if (phase == EDGE) {
            if (out.first_crossing < 0) out.first_crossing = t;
            double pinned = copysign(alpha_hat, alpha) * beta2 - 1, l_hat = 0.5 * lambda2 * pinned * pinned;
            double along = alpha < 0 ? -beta2 : beta2;
            out.edge_steps++;
            sum_l1 += l1;
            sum_predicted += 0.5 * alpha_hat * lambda2 * along * (1 - alpha_hat * along);
            if (l_hat > 0) {
                double z = (l_hat - reference) * inverse;
                if (!(fabs(z) < 1. / 128)) {
                    reference = l_hat;
                    inverse = 1 / l_hat;
                    log_reference = log(l_hat);
                    z = 0;
                }
                double u = (double)(t - out.first_crossing), y = log_reference + log_near(z);
                logs++;
                sum_t += u;
                sum_tt += u * u;
                sum_y += y;
                sum_ty += u * y;
            }
        }
        if (loss > EPSILON || !within) out.convergence_time = t + 1;
        out.final_loss = loss;
        double g_alpha = beta1 * e1 + beta2 * e2;
        beta1 = floored(beta1 - eta * alpha * e1);
        beta2 -= eta * alpha * e2;
        alpha -= eta * g_alpha;
    }
    if (most > least) least = sharpness_of(top_alpha, top_beta1, top_beta2, lambda2);
    out.max_ratio = 0.5 * eta * least;
    if (out.convergence_time > steps || out.diverged_at >= 0) out.convergence_time = -1;
    if (out.edge_steps > 50) {
        out.slope = (logs * sum_ty - sum_t * sum_y) / (logs * sum_tt - sum_t * sum_t);
        out.mean_l1 = sum_l1 / (double)out.edge_steps;
        out.mean_l1_predicted = sum_predicted / (double)out.edge_steps;
    }
    return out;
}

/* Run i of the sweep: η from 1/60 to 1/12, and the start of α and β₂ from 0.2 to 0.6. */
static summary sweep_run(int64_t i, double lambda2, int64_t steps, int plain) {
    double eta = 1 / (12 + 0.48 * (double)(i % 100)), weight = 0.2 + 0.004 * (double)(i / 100 % 100);
    return (plain ? plain_summary : run_summary)(eta, lambda2, weight, 0.1, weight, steps);
}

static void sweep_work(int64_t steps, double lambda2, int64_t runs, int plain) {
    summary *all = calloc((size_t)runs, sizeof(summary));
    for (int64_t i = 0; i < 100 && i < runs; i++) all[i] = sweep_run(i, lambda2, steps, plain);
    double begin = now(), begun = processor_time();
    for (int64_t i = 0; i < runs; i++) all[i] = sweep_run(i, lambda2, steps, plain);
    double seconds = now() - begin, processor = processor_time() - begun;

    double crossings = 0, cycles = 0, diverged = 0, times = 0, phases = 0, starts = 0, edge = 0;
    double ratios = 0, losses = 0, slopes = 0, l1s = 0, predicted = 0;
    for (int64_t i = 0; i < runs; i++) {
        crossings += (double)all[i].first_crossing;
        cycles += all[i].cycles;
        diverged += (double)all[i].diverged_at;
        times += (double)all[i].convergence_time;
        phases += (double)all[i].phases;
        starts += (double)all[i].phase_starts;
        edge += (double)all[i].edge_steps;
        ratios += all[i].max_ratio;
        losses += all[i].final_loss;
        if (all[i].edge_steps <= 50) continue;
        slopes += all[i].slope;
        l1s += all[i].mean_l1;
        predicted += all[i].mean_l1_predicted;
    }
    printf("{\"work\":\"W3\",\"seconds\":%.9f,\"processor\":%.9f,\"steps\":%lld,\"check\":{\"first_crossing\":%.17g,\"cycles\":%.17g,"
           "\"diverged_at\":%.17g,\"convergence_time\":%.17g,\"phases\":%.17g,\"phase_starts\":%.17g,\"edge_steps\":%.17g,"
           "\"max_sharpness_ratio\":%.17g,\"final_loss\":%.17g,\"l_hat_slope\":%.17g,\"mean_l1_in_eos\":%.17g,"
           "\"mean_l1_predicted\":%.17g}}\n",
           seconds, processor, (long long)(runs * steps), crossings, cycles, diverged, times, phases, starts, edge, ratios, losses,
           slopes, l1s, predicted);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: kernel bare|W1|W3|W3-bounds STEPS LAMBDA2 [RUNS]\n");
        return 2;
    }
    int64_t steps = atoll(argv[2]);
    double lambda2 = atof(argv[3]);
    if (strcmp(argv[1], "bare") == 0) bare_work(steps, lambda2);
    if (strcmp(argv[1], "W1") == 0) columns_work(steps, lambda2);
    int plain = strcmp(argv[1], "W3") == 0;
    if (plain || strcmp(argv[1], "W3-bounds") == 0) sweep_work(steps, lambda2, argc > 4 ? atoll(argv[4]) : 10000, plain);
    return 0;
}
