/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mamba-2's recurrence: few tokens one after the other, with the state in
 * registers; more of them in chunks, as matrix products.
 */

/* ---- One token after the other ---- */

enum {
    SCAN_TOKENS = 64, /* tokens whose decays are computed at once */
    SCAN_ROWS = 4,    /* rows of the state in registers */
    SCAN_VECTORS = 4, /* vectors of each */
    STATE_AHEAD = 1024 /* elements from those in use to those asked for */
};

/* The step size and the decay of one head at some tokens. */
typedef struct {
    float delta[SCAN_TOKENS], decay[SCAN_TOKENS];
} head_steps;

INLINE void head_steps_at(const ck_state_space_scan_args *args, ptrdiff_t head,
                          ptrdiff_t first, ptrdiff_t tokens,
                          head_steps *steps) {
    const ptrdiff_t stride = args->projected.columns;
    const float *dt =
        args->projected.data + first * stride + args->dt_offset + head;
    for (ptrdiff_t t = 0; t < tokens; t += LANES) {
        vf v = {};
        for (ptrdiff_t i = 0; i < at_most(LANES, tokens - t); i++)
            v[i] = dt[(t + i) * stride];
        vf delta = softplus(v + args->dt_bias[head]);
        store(steps->delta + t, delta);
        store(steps->decay + t, exponential(delta * args->a[head]));
    }
}

/*
 * Some rows of the state of a head and its columns [n, n + SCAN_VECTORS *
 * LANES), or less, through some tokens: adds the sums over n to out.
 */
INLINE void state_tile(const ck_state_space_scan_args *args,
                       const head_steps *steps, const int rows, float *h,
                       ptrdiff_t states, const float *x, const float *b,
                       const float *c, ptrdiff_t tokens, float *out) {
    const ptrdiff_t stride = args->xbc.columns, total = args->h.columns;
    vf s[SCAN_ROWS][SCAN_VECTORS];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < SCAN_VECTORS; v++)
            s[r][v] = v * LANES < states
                          ? load_at(h + r * total, v * LANES, states)
                          : (vf){};
    }
    for (ptrdiff_t t = 0; t < tokens; t++) {
        vf decay = splat(steps->decay[t]);
        vf sums[SCAN_ROWS] = {};
#pragma clang loop unroll(full)
        for (int v = 0; v < SCAN_VECTORS; v++) {
            if (v * LANES >= states)
                continue;
            vf bv = load_at(b + t * stride, v * LANES, states) *
                    steps->delta[t];
            vf cv = load_at(c + t * stride, v * LANES, states);
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) {
                s[r][v] = s[r][v] * decay + splat(x[t * stride + r]) * bv;
                sums[r] += s[r][v] * cv;
            }
        }
        float *to = out + t * args->out.columns;
        if (rows == SCAN_ROWS) {
            float4 sum;
            __builtin_memcpy(&sum, to, sizeof sum);
            sum += sums_of_four(sums);
            __builtin_memcpy(to, &sum, sizeof sum);
        } else {
            for (int r = 0; r < rows; r++)
                to[r] += sum_lanes(sums[r]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < SCAN_VECTORS; v++) {
            if (v * LANES < states)
                store_at(h + r * total, s[r][v], v * LANES, states);
        }
    }
}

/* All columns of some rows: the state is read in order, and asked for ahead,
 * since reading it takes the time of a step. */
INLINE void state_rows(const ck_state_space_scan_args *args,
                       const head_steps *steps, const int rows, float *h,
                       const float *x, const float *b, const float *c,
                       ptrdiff_t tokens, float *out) {
    const ptrdiff_t total = args->h.columns;
    for (ptrdiff_t i = 0; i < rows * total; i += 16)
        __builtin_prefetch(h + STATE_AHEAD + i, 1, 2);
    for (ptrdiff_t n = 0; n < total; n += SCAN_VECTORS * LANES)
        state_tile(args, steps, rows, h + n,
                   at_most(SCAN_VECTORS * LANES, total - n), x, b + n, c + n,
                   tokens, out);
}

/* The heads [begin, end), one token after the other. */
static void scan_heads(const ck_state_space_scan_args *args, ptrdiff_t begin,
                       ptrdiff_t end) {
    const ptrdiff_t width = args->out.columns, p = width / args->heads;
    const ptrdiff_t stride = args->xbc.columns, total = args->h.columns;
    for (ptrdiff_t head = begin; head < end; head++) {
        ptrdiff_t group = head / (args->heads / args->groups);
        for (ptrdiff_t t = 0; t < args->xbc.rows; t += SCAN_TOKENS) {
            ptrdiff_t tokens = at_most(SCAN_TOKENS, args->xbc.rows - t);
            const float *row = args->xbc.data + t * stride;
            const float *x = row + head * p;
            const float *b = row + width + group * total;
            const float *c = b + args->groups * total;
            float *out = args->out.data + t * width + head * p;
            head_steps steps;
            head_steps_at(args, head, t, tokens, &steps);
            for (ptrdiff_t i = 0; i < tokens; i++)
                for (ptrdiff_t r = 0; r < p; r += LANES)
                    store_at(out + i * width,
                             load_at(x + i * stride, r, p) * args->d[head], r,
                             p);
            float *h = args->h.data + head * p * total;
            ptrdiff_t r = 0;
            for (; r + SCAN_ROWS <= p; r += SCAN_ROWS)
                state_rows(args, &steps, SCAN_ROWS, h + r * total, x + r, b, c,
                           tokens, out + r);
            for (; r < p; r++)
                state_rows(args, &steps, 1, h + r * total, x + r, b, c, tokens,
                           out + r);
        }
    }
}

/* ---- Chunks ---- */

/*
 * The recurrence over a chunk of tokens as matrix products. With the decays
 * e[i] = decay[0] .. decay[i] and w[i, j] = delta[j] decay[j + 1] .. decay[i]
 * for j <= i, else 0:
 *
 *     out[i] = e[i] c[i] h^T + sum_j w[i, j] (c[i] b[j]) x[j] + d x[i]
 *     h      = e[last] h + sum_j w[last, j] x[j]^T b[j]
 *
 * All factors are products of decays, which are at most 1: nothing overflows.
 * Dao and Gu 2024, section 6.
 */
enum {
    CHUNK_TOKENS = SCAN_TOKENS,
    CHUNK_LEAST = 24,  /* tokens for which chunks are the faster way */
    CHUNK_STATES = 128 /* at most, for the stack of a thread */
};

/* What the heads of a group share at some tokens. */
typedef struct {
    const float *c;   /* (tokens, states) */
    ptrdiff_t stride; /* of its rows */
    ptrdiff_t tokens, states;
    /* (tokens, tokens): c[i] b[j] for j <= i. */
    float scores[CHUNK_TOKENS * CHUNK_TOKENS];
    /* b, FLOAT_PANEL states of all tokens after the other. */
    float b[CHUNK_STATES * CHUNK_TOKENS];
} scan_chunk;

/* b and c are those of the first token of the chunk. */
static void begin_chunk(const float *b, const float *c, ptrdiff_t stride,
                        ptrdiff_t tokens, ptrdiff_t states,
                        scan_chunk *chunk) {
    _Alignas(64) float panel[CHUNK_STATES * FLOAT_PANEL];
    chunk->c = c;
    chunk->stride = stride;
    chunk->tokens = tokens;
    chunk->states = states;
    for (ptrdiff_t n = 0; n < states; n += FLOAT_PANEL)
        pack_columns(b + n, stride, tokens, at_most(FLOAT_PANEL, states - n),
                     chunk->b + n * tokens);
    for (ptrdiff_t j = 0; j < tokens; j += FLOAT_PANEL) {
        ptrdiff_t width = at_most(FLOAT_PANEL, tokens - j);
        pack_float(CK_F32, (const uint8_t *)(b + j * stride),
                   stride * (ptrdiff_t)sizeof *b, width, 0, states, panel);
        float_tiles(tokens - j, panel, states, c + j * stride, stride,
                    (tile_output){
                        .data = chunk->scores + j * CHUNK_TOKENS + j,
                        .stride = CHUNK_TOKENS,
                        .width = width,
                    });
    }
}

/* What a head makes of the scores of a chunk. */
typedef struct {
    /* w[i, j] (c[i] b[j]) for j <= i, and d more for j = i. */
    float mixed[CHUNK_TOKENS * CHUNK_TOKENS];
    float last[CHUNK_TOKENS];    /* w[last, j] */
    float carried[CHUNK_TOKENS]; /* e[i] */
} head_mix;

static void mix_chunk(const scan_chunk *chunk, const head_steps *steps,
                      float d, head_mix *mix) {
    /* What is less would soon be denormal, and slow: it becomes 0. */
    const float least = 0x1p-100f;
    float carried = 1;
    for (ptrdiff_t j = 0; j < CHUNK_TOKENS; j += LANES)
        store(mix->last + j, (vf){});
    for (ptrdiff_t i = 0; i < chunk->tokens; i++) {
        const float decay = steps->decay[i];
        carried *= decay;
        if (carried < least)
            carried = 0;
        mix->carried[i] = carried;
        for (ptrdiff_t j = 0; j < i; j += LANES) {
            vf w = load(mix->last + j) * decay;
            store(mix->last + j, choose(w < splat(least), (vf){}, w));
        }
        mix->last[i] = steps->delta[i];
        for (ptrdiff_t j = 0; j < CHUNK_TOKENS; j += LANES) {
            const ptrdiff_t at = i * CHUNK_TOKENS + j;
            store(mix->mixed + at,
                  j <= i ? load(mix->last + j) * load(chunk->scores + at)
                         : (vf){});
        }
        mix->mixed[i * CHUNK_TOKENS + i] += d;
    }
}

/* What FLOAT_PANEL rows of the state of a head read of a chunk. */
typedef struct {
    ptrdiff_t width;                          /* how many there are */
    float x[CHUNK_TOKENS * FLOAT_PANEL];      /* (tokens, rows) */
    float scaled[CHUNK_TOKENS * FLOAT_PANEL]; /* w[last, t] x[t] */
    float h[CHUNK_STATES * FLOAT_PANEL];      /* (states, rows) */
} chunk_rows;

/* The outputs of some tokens from i. */
INLINE void chunk_outputs(const int tokens, ptrdiff_t i,
                          const scan_chunk *chunk, const head_mix *mix,
                          const chunk_rows *rows, tile_output out) {
    vf acc[FLOAT_TOKENS][FLOAT_VECTORS];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < FLOAT_VECTORS; v++)
            acc[t][v] = (vf){};
    }
    float_tile(0, tokens, FLOAT_VECTORS, rows->h, chunk->states,
               chunk->c + i * chunk->stride, chunk->stride, 1, acc);
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < FLOAT_VECTORS; v++)
            acc[t][v] *= mix->carried[i + t];
    }
    float_tile(0, tokens, FLOAT_VECTORS, rows->x, i + tokens,
               mix->mixed + i * CHUNK_TOKENS, CHUNK_TOKENS, 1, acc);
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < FLOAT_VECTORS; v++)
            put_vector(out, i + t, v, acc[t][v]);
    }
}

/* Some rows of the state from r, and its columns in a panel of b. The rows that
 * take their place in the next panel of rows are asked for. */
INLINE void chunk_state(const int count, ptrdiff_t r, ptrdiff_t tokens,
                        float carried, const chunk_rows *rows, const float *b,
                        float *h, ptrdiff_t total, ptrdiff_t states) {
    vf acc[FLOAT_TOKENS][FLOAT_VECTORS];
#pragma clang loop unroll(full)
    for (int t = 0; t < count; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < FLOAT_VECTORS; v++) {
            const float *row = h + (r + t) * total;
            acc[t][v] = v * LANES < states
                            ? load_at(row, v * LANES, states) * carried
                            : (vf){};
            __builtin_prefetch(row + FLOAT_PANEL * total + v * LANES, 1, 2);
        }
    }
    float_tile(0, count, FLOAT_VECTORS, b, tokens, rows->scaled + r, 1,
               FLOAT_PANEL, acc);
#pragma clang loop unroll(full)
    for (int t = 0; t < count; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < FLOAT_VECTORS; v++) {
            if (v * LANES < states)
                store_at(h + (r + t) * total, acc[t][v], v * LANES, states);
        }
    }
}

/* FLOAT_PANEL rows of the state of a head, or less, and their outputs. */
static void run_chunk(const scan_chunk *chunk, const head_mix *mix,
                      const float *x, float *h, chunk_rows *rows,
                      tile_output out) {
    const ptrdiff_t tokens = chunk->tokens, states = chunk->states;
    for (ptrdiff_t t = 0; t < tokens; t++) {
        for (ptrdiff_t i = 0; i < FLOAT_PANEL; i += LANES) {
            vf v = i < rows->width
                       ? load_at(x + t * chunk->stride, i, rows->width)
                       : (vf){};
            store(rows->x + t * FLOAT_PANEL + i, v);
            store(rows->scaled + t * FLOAT_PANEL + i, v * mix->last[t]);
        }
    }
    pack_float(CK_F32, (const uint8_t *)h, states * (ptrdiff_t)sizeof *h,
               rows->width, 0, states, rows->h);
    ptrdiff_t i = 0;
#define TILES_OF(count)                                                        \
    for (; i + (count) <= tokens; i += (count))                                \
        chunk_outputs(count, i, chunk, mix, rows, out)
    TILES_OF(FLOAT_TOKENS);
    TILES_OF(4);
    TILES_OF(1);
#undef TILES_OF
    const float carried = mix->carried[tokens - 1];
    for (ptrdiff_t n = 0; n < states; n += FLOAT_PANEL) {
        ptrdiff_t r = 0;
#define TILES_OF(count)                                                        \
    for (; r + (count) <= rows->width; r += (count))                           \
        chunk_state(count, r, tokens, carried, rows, chunk->b + n * tokens,    \
                    h + n, states, at_most(FLOAT_PANEL, states - n))
        TILES_OF(FLOAT_TOKENS);
        TILES_OF(4);
        TILES_OF(1);
#undef TILES_OF
    }
}

/* The heads [begin, end), a chunk of tokens after the other. */
static void chunk_heads(const ck_state_space_scan_args *args, ptrdiff_t begin,
                        ptrdiff_t end) {
    const ptrdiff_t width = args->out.columns, p = width / args->heads;
    const ptrdiff_t stride = args->xbc.columns, states = args->h.columns;
    const ptrdiff_t per_group = args->heads / args->groups;
    _Alignas(64) scan_chunk chunk;
    _Alignas(64) head_mix mix;
    _Alignas(64) chunk_rows rows;
    for (ptrdiff_t t = 0; t < args->xbc.rows; t += CHUNK_TOKENS) {
        ptrdiff_t tokens = at_most(CHUNK_TOKENS, args->xbc.rows - t);
        const float *row = args->xbc.data + t * stride;
        for (ptrdiff_t head = begin; head < end; head++) {
            if (head == begin || head % per_group == 0) {
                const float *b = row + width + head / per_group * states;
                begin_chunk(b, b + args->groups * states, stride, tokens,
                            states, &chunk);
            }
            head_steps steps;
            head_steps_at(args, head, t, tokens, &steps);
            mix_chunk(&chunk, &steps, args->d[head], &mix);
            for (ptrdiff_t r = head * p; r < (head + 1) * p; r += FLOAT_PANEL) {
                rows.width = at_most(FLOAT_PANEL, (head + 1) * p - r);
                run_chunk(&chunk, &mix, row + r, args->h.data + r * states,
                          &rows,
                          (tile_output){
                              .data = args->out.data + t * width + r,
                              .stride = width,
                              .width = rows.width,
                          });
            }
        }
    }
}

static void state_space_scan(const void *pointer, ptrdiff_t begin,
                             ptrdiff_t end, int worker) {
    (void)worker;
    const ck_state_space_scan_args *args = pointer;
    if (args->xbc.rows >= CHUNK_LEAST && args->h.columns <= CHUNK_STATES)
        chunk_heads(args, begin, end);
    else
        scan_heads(args, begin, end);
}
