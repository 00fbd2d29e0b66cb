/* SPDX-License-Identifier: Apache-2.0 */
/* What the products by panels of weights share: their items, where a register
 * tile of sums goes, and the next panel. */

/* Where a register tile goes: some columns of rows of outputs. */
typedef struct {
    float *data;
    ptrdiff_t stride, width;
    const float *bias; /* (width), or NULL */
    int adds;          /* whether the products are added to data */
} tile_output;

INLINE tile_output at_token(tile_output out, ptrdiff_t token) {
    out.data += token * out.stride;
    return out;
}

/* Puts the sums of vector v of token t of a tile; what is infinite, of damaged
 * weights, becomes NaN. */
INLINE void put_vector(tile_output out, int t, int v, vf sums) {
    float *to = out.data + t * out.stride + v * LANES;
    ptrdiff_t left = out.width - v * LANES;
    if (left >= LANES) {
        if (out.adds)
            sums += load(to);
        if (out.bias)
            sums += load(out.bias + v * LANES);
        store(to, finite_or_nan(sums));
    } else if (left > 0) {
        if (out.adds)
            sums += load_part(to, left);
        if (out.bias)
            sums += load_part(out.bias + v * LANES, left);
        store_part(to, finite_or_nan(sums), left);
    }
}

typedef struct {
    ptrdiff_t row, rows, token, tokens;
} matmul_tile;

/* The part of the outputs that an item computes. */
INLINE matmul_tile tile_of_item(const ck_matmul_args *args, ptrdiff_t item) {
    ptrdiff_t across =
        (args->w.rows + MATMUL_TILE_ROWS - 1) / MATMUL_TILE_ROWS;
    ptrdiff_t tokens = ck_cut_tokens(args->x.rows, MATMUL_TILE_TOKENS).tokens;
    matmul_tile tile = {item % across * MATMUL_TILE_ROWS, MATMUL_TILE_ROWS,
                        item / across * tokens, tokens};
    tile.rows = at_most(tile.rows, args->w.rows - tile.row);
    tile.tokens = at_most(tile.tokens, args->x.rows - tile.token);
    return tile;
}

/* The columns [row, row + width) of all tokens' outputs; the first of several
 * parts of the sums brings the bias. */
INLINE tile_output output_of_tile(const ck_matmul_args *args, ptrdiff_t row,
                                  ptrdiff_t width, int is_first) {
    return (tile_output){
        .data = args->out.data + row,
        .stride = args->out.columns,
        .width = width,
        .bias = is_first && args->bias ? args->bias + row : NULL,
        .adds = !is_first || args->accumulates,
    };
}

/* Where the weights of the panel lie that will be packed next. */
typedef struct {
    const uint8_t *w;
    ptrdiff_t size, rows, bytes; /* from row to row; of each row */
    ptrdiff_t group;             /* how many rows have their bytes in a piece */
} next_panel;

/* After the columns [first, first + count) of rows rows come the next columns
 * of the same rows, or the first of the rows below. */
INLINE next_panel panel_after(const int type, const uint8_t *w, ptrdiff_t size,
                              ptrdiff_t rows, ptrdiff_t first, ptrdiff_t count,
                              const ck_matmul_args *args) {
    const int is_last = first + count == args->w.columns;
    const ptrdiff_t group = ck_is_interleaved(type) ? ROW_GROUP : 1;
    w += is_last ? rows * size : group * row_size(type, first + count);
    return (next_panel){w, size, rows, row_size(type, count), group};
}

/* Asks for the next panel's share that falls to count of all tokens. */
INLINE void prefetch_panel(next_panel next, ptrdiff_t token, ptrdiff_t count,
                           ptrdiff_t tokens) {
    ptrdiff_t last = at_most(next.rows, next.rows * (token + count) / tokens);
    for (ptrdiff_t r = next.rows * token / tokens; r < last; r++) {
        const ptrdiff_t in_group = r % next.group;
        const uint8_t *w =
            next.w + (r - in_group) * next.size + in_group * next.bytes;
        for (ptrdiff_t i = 0; i < next.bytes; i += 64)
            __builtin_prefetch(w + i, 0, 2);
    }
}
