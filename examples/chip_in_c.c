/* A whole chip in C: cells of 256 steps, each with a step of its own, behind neurons that saturate, each in its own way.

   cc -O2 -o chip chip_in_c.c -lm
   python -m analog_ff.simulate --preset plain --port process:./chip

   It reads messages of the line protocol from standard input and answers on standard output. */
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 16, ARRAYS = 32, STEPS = 256 };
typedef struct { char name[32]; long rows, columns, items; float *data; } Array;
static int layers;
static long n[LAYERS], m[LAYERS];
static float *w[LAYERS], *step[LAYERS], *knee[LAYERS], limit[LAYERS];
static Array in[ARRAYS];
static int arrays;

static double drawn(uint64_t x) { /* uniform in [0, 1), a hash of x (splitmix64) */
    x += 0x9e3779b97f4a7c15u; x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu; return (double)((x ^ (x >> 31)) >> 11) / 9007199254740992.0;
}

static void ended(const char *why) { fprintf(stderr, "%s\n", why); exit(3); }

static void *room(size_t size) { void *p = malloc(size ? size : 1); if (!p) ended("no memory is left"); return p; }

static double number(const char *line, const char *name, double otherwise) {
    const char *at = strstr(line, name); return at ? atof(at + strlen(name)) : otherwise;
}

static const Array *array(const char *name) {
    for (int i = 0; i < arrays; i++) if (!strcmp(in[i].name, name)) return &in[i];
    return NULL;
}

static void take_arrays(const char *line) { /* the arrays that a line states; every one of this chip has items of 4 bytes */
    for (int i = 0; i < arrays; i++) free(in[i].data);
    arrays = 0;
    const char *at = strstr(line, "\"arrays\":[");
    while (at && (at = strstr(at, "\"name\":\"")) && arrays < ARRAYS) {
        Array *a = &in[arrays++]; char type[8] = "", *end;
        if (sscanf(at, "\"name\":\"%31[^\"]\",\"type\":\"%7[^\"]\"", a->name, type) < 2 || type[2] != '4') ended("an array is not of 4 bytes an item");
        at = strstr(at, "\"shape\":["); if (!at) ended("an array has no shape");
        at += 9; a->items = 1; a->rows = a->columns = 1;
        while (*at != ']') { a->rows = a->columns; a->columns = strtol(at, &end, 10); a->items *= a->columns; at = *end == ',' ? end + 1 : end; }
        a->data = room(4 * a->items);
        if (fread(a->data, 4, a->items, stdin) != (size_t)a->items) exit(0);
    }
}

static void build(const char *line) { /* fabricate the layers that the hello asks for, from its chip_seed */
    const char *at = strstr(line, "\"shapes\":["); uint64_t seed = (uint64_t)number(line, "\"chip_seed\":", 0);
    if (!at) ended("the hello asks for no layers");
    at += 10; layers = 0;
    while (*at == '[' && layers < LAYERS) {
        char *end; int l = layers++; n[l] = strtol(at + 1, &end, 10); m[l] = strtol(end + 1, &end, 10);
        long cells = n[l] * m[l]; at = end + 1; if (*at == ',') at++;
        limit[l] = (float)(number(line, "\"weight_range\":", 4) / sqrt((double)n[l]));
        w[l] = room(4 * cells); step[l] = room(4 * cells); knee[l] = room(4 * m[l]);
        for (long i = 0; i < cells; i++) { w[l][i] = 0; step[l][i] = (float)(2 * limit[l] / STEPS * (0.6 + 0.8 * drawn(seed * 1000003 + l * 7919 + i * 64 + 1))); }
        for (long j = 0; j < m[l]; j++) knee[l][j] = (float)(1 + 3 * drawn(seed * 1000003 + l * 7919 + j * 64 + 2));
    }
}

static void say(const char *form, ...) { va_list a; va_start(a, form); vprintf(form, a); va_end(a); }

static void hello(double scale) {
    say("{\"version\":1,\"value\":{\"what\":\"chip\",\"save\":true,\"repeatable\":true,\"pins\":[\"observe\",\"read\",\"fire_cells\",\"program\",\"wait\"],\"shapes\":[");
    for (int l = 0; l < layers; l++) say("%s[%ld,%ld]", l ? "," : "", n[l], m[l]);
    say("],\"datasheet\":[");
    for (int l = 0; l < layers; l++) say("%s{\"inputs\":%ld,\"neurons\":%ld,\"weight_step\":%.9g,\"weight_limit\":%.9g,\"input_scale\":%.9g,\"dac_bits\":null,\"adc_bits\":null}",
                                         l ? "," : "", n[l], m[l], 2 * limit[l] / STEPS, limit[l], scale);
    say("]}}\n");
}

static void look(int l, int neurons) { /* z = x W, or y = f(z + bias) with f(z) = knee tanh(max(z, 0) / knee) */
    const Array *x = array("x"), *bias = array("bias"); if (!x || x->columns != n[l]) ended("x has another shape");
    long rows = x->rows; float *y = room(4 * rows * m[l]);
    for (long b = 0; b < rows; b++) {
        float *out = y + b * m[l];
        for (long j = 0; j < m[l]; j++) out[j] = bias && neurons ? bias->data[b * m[l] + j] : 0;
        for (long i = 0; i < n[l]; i++) { float v = x->data[b * n[l] + i]; if (v != 0) for (long j = 0; j < m[l]; j++) out[j] += v * w[l][i * m[l] + j]; }
        if (neurons) for (long j = 0; j < m[l]; j++) out[j] = out[j] > 0 ? knee[l][j] * tanhf(out[j] / knee[l][j]) : 0;
    }
    say("{\"version\":1,\"events\":{\"counts\":{\"reads.cells\":%ld,\"reads.columns\":%ld,\"nonlinearity\":%ld},\"integrals\":{\"time\":%.9g}},\"arrays\":[{\"name\":\"y\",\"type\":\"<f4\",\"shape\":[%ld,%ld]}]}\n",
        2 * rows * n[l] * m[l], 2 * rows * m[l], neurons ? rows * m[l] : 0, 1e-8 * rows, rows, m[l]);
    fwrite(y, 4, rows * m[l], stdout); free(y);
}

static void write_cells(int l, const float *weights, const int32_t *pulses) {
    long selected = 0, cells = n[l] * m[l];
    for (long i = 0; i < cells; i++) {
        long p = pulses ? pulses[i] : lround(weights[i] / (2 * limit[l] / STEPS)); selected += labs(p);
        float to = (pulses ? w[l][i] : 0) + p * step[l][i]; w[l][i] = to > limit[l] ? limit[l] : to < -limit[l] ? -limit[l] : to;
    }
    say("{\"version\":1,\"events\":{\"counts\":{\"write.selected\":%ld},\"integrals\":{\"time\":%.9g}}}\n", selected, 1e-7 * n[l]);
}

int main(void) {
    char *line = NULL; size_t size = 0; ssize_t got;
    while ((got = getline(&line, &size, stdin)) > 0) {
        char method[32] = ""; const char *at = strstr(line, "\"method\":\""); if (at) sscanf(at + 10, "%31[a-z_]", method);
        int l = (int)number(line, "\"layer\":", 0); take_arrays(line);
        if (!strcmp(method, "hello")) { build(line); hello(number(line, "\"input_scale\":", 12)); }
        else if (l < 0 || l >= layers) ended("a layer is asked for that does not exist");
        else if (!strcmp(method, "observe") || !strcmp(method, "read")) look(l, method[0] == 'o');
        else if (!strcmp(method, "program") && array("weights") && array("weights")->items == n[l] * m[l]) write_cells(l, array("weights")->data, NULL);
        else if (!strcmp(method, "fire_cells") && array("counts") && array("counts")->items == n[l] * m[l]) write_cells(l, NULL, (const int32_t *)array("counts")->data);
        else if (!strcmp(method, "wait")) say("{\"version\":1,\"events\":{\"counts\":{},\"integrals\":{\"time\":%.9g}}}\n", number(line, "\"seconds\":", 0));
        else if (!strcmp(method, "save")) {
            say("{\"version\":1,\"arrays\":[");
            for (int k = 0; k < layers; k++) say("%s{\"name\":\"w%d\",\"type\":\"<f4\",\"shape\":[%ld,%ld]}", k ? "," : "", k, n[k], m[k]);
            say("]}\n");
            for (int k = 0; k < layers; k++) fwrite(w[k], 4, n[k] * m[k], stdout);
        } else if (!strcmp(method, "restore")) {
            for (int k = 0; k < layers; k++) { char name[8]; snprintf(name, 8, "w%d", k); const Array *a = array(name); if (!a || a->items != n[k] * m[k]) ended("a state of another chip"); memcpy(w[k], a->data, 4 * a->items); }
            say("{\"version\":1}\n");
        } else say("{\"version\":1,\"error\":{\"kind\":\"MissingPinError\",\"message\":\"this chip has no %s\"}}\n", method);
        fflush(stdout);
    }
    return 0;
}
