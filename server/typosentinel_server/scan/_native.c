/*
 * The inner loops of a scan, for machines with a C compiler: near names, look-ups, and the cost of a text.
 *
 * It does what deletions.py, multimap.py and lexicon.py do in Python and numpy, number for number; a test holds one against the
 * other. Everything that comes in is bounded by its caller's types: texts are at most 64 bytes here, longer ones are
 * refused, and no index is used that was not compared with the length of what it points into.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 64
#define LONGEST_TWICE 20
#define SHORTEST_TWICE 6
#define NUMBER_BITS 20
#define NUMBERS ((UINT64_C(1) << NUMBER_BITS) - 1)
#define MAX_FOUND 64
#define MAX_NEAR 512
#define MAX_PROBES (1 + LONGEST + LONGEST_TWICE * (LONGEST_TWICE - 1) / 2)
#define MAX_EDITS 2
#if defined(__GNUC__)
#define PREFETCH(where) __builtin_prefetch(where)
#else
#define PREFETCH(where) ((void)(where))
#endif
#define BASE UINT64_C(0x9E3779B97F4A7C15)
#define LETTER UINT64_C(0xBF58476D1CE4E5B9)

static uint64_t inverse; /* of BASE modulo 2^64: moves a suffix one place to the front */

/* All remainders of a text, in the order of deletions.py; returns how many. */
static int remainders(const unsigned char *text, int length, uint64_t *out)
{
    uint64_t sums[LONGEST + 1], power = 1, twice = inverse * inverse;
    int count = 0;
    sums[0] = 0;
    for (int i = 0; i < length; i++, power *= BASE)
        sums[i + 1] = sums[i] + (uint64_t)(text[i] + 1) * LETTER * power;
    const uint64_t whole = sums[length];
    out[count++] = whole;
    for (int i = 0; i < length; i++)
        out[count++] = sums[i] + (whole - sums[i + 1]) * inverse;
    if (length < SHORTEST_TWICE || length > LONGEST_TWICE)
        return count;
    for (int i = 0; i < length; i++)
        for (int j = i + 1; j < length; j++)
            out[count++] = sums[i] + (sums[j] - sums[i + 1]) * inverse + (whole - sums[j + 1]) * twice;
    return count;
}

/* The first place in ascending words that is not below a key. Hashes are spread evenly, so a guess comes close. */
static size_t lower_bound(const uint64_t *words, size_t length, uint64_t key)
{
    size_t low = 0, high = length, step = 32;
    size_t guess = (size_t)(((key >> 32) * (uint64_t)length) >> 32);
    if (guess >= length)
        guess = length - 1;
    if (words[guess] < key) {
        low = guess + 1;
        while (low + step < length && words[low + step] < key) {
            low += step;
            step *= 2;
        }
        high = low + step < length ? low + step : length;
    } else {
        high = guess;
        while (high > step && words[high - step] >= key) {
            high -= step;
            step *= 2;
        }
        low = high > step ? high - step : 0;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (words[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* One slip: places in both texts and how many letters each has there. */
typedef struct {
    int at, their_at, mine, theirs;
} Slip;

/* The slip that turns one middle into the other, where one does; returns how many that are, 0 or 1. */
static int single(const unsigned char *mine, const unsigned char *theirs, int at, int stop, int their_at, int their_stop,
                  Slip *slip)
{
    const int here = stop - at, there = their_stop - their_at;
    if (here > MAX_EDITS || there > MAX_EDITS || !(here | there))
        return 0;
    if ((here > 1 || there > 1)
        && (here != there || mine[at] != theirs[their_at + 1] || mine[at + 1] != theirs[their_at]))
        return 0;
    *slip = (Slip){at, their_at, here, there};
    return 1;
}

/* The slips that lead from a text to mine, as spelling.py finds them; how many (at most two), or -1 where it takes more. */
static int explain(const unsigned char *mine, int stop, const unsigned char *theirs, int their_stop, Slip *slips)
{
    static const int steps[][2] = {{2, 2}, {1, 1}, {1, 0}, {0, 1}};
    int front = 0;
    if (stop - their_stop > MAX_EDITS || their_stop - stop > MAX_EDITS)
        return -1;
    while (stop && their_stop && mine[stop - 1] == theirs[their_stop - 1])
        stop--, their_stop--;
    while (front < stop && front < their_stop && mine[front] == theirs[front])
        front++;
    if (front == stop && front == their_stop)
        return 0;
    if (single(mine, theirs, front, stop, front, their_stop, slips))
        return 1;
    for (int n = 0; n < 4; n++) {
        int i = front + steps[n][0], j = front + steps[n][1];
        if (i > stop || j > their_stop)
            continue;
        if (!n && (mine[front] != theirs[front + 1] || mine[front + 1] != theirs[front]))
            continue;
        slips[0] = (Slip){front, front, steps[n][0], steps[n][1]};
        while (i < stop && j < their_stop && mine[i] == theirs[j])
            i++, j++;
        if (single(mine, theirs, i, stop, j, their_stop, slips + 1))
            return 2;
    }
    return -1;
}

static int ascending(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

typedef struct {
    Py_buffer words, present, flats, ends;
    int held;
} Buffers;

static int hold(PyObject *object, Py_buffer *buffer, Buffers *all)
{
    if (PyObject_GetBuffer(object, buffer, PyBUF_SIMPLE) < 0)
        return -1;
    all->held++;
    return 0;
}

static void release(Buffers *all)
{
    Py_buffer *buffers[] = {&all->words, &all->present, &all->flats, &all->ends};
    while (all->held)
        PyBuffer_Release(buffers[--all->held]);
}

static int append(PyObject *list, size_t number)
{
    PyObject *value = PyLong_FromSize_t(number);
    const int failed = !value || PyList_Append(list, value) < 0;
    Py_XDECREF(value);
    return failed ? -1 : 0;
}

/* Candidates for a text, sorted, each once; returns how many, -1 where there is no memory. */
static Py_ssize_t gather(const unsigned char *text, int length, const Buffers *all, uint32_t **found)
{
    uint64_t probes[MAX_PROBES];
    const uint64_t *words = all->words.buf;
    const size_t count_words = (size_t)all->words.len / sizeof(uint64_t);
    const unsigned char *present = all->present.buf;
    const int count = remainders(text, length, probes);
    int byte_bits = 0;
    size_t total = 0;
    while (((Py_ssize_t)1 << byte_bits) < all->present.len)
        byte_bits++;
    if (!count_words || byte_bits < 1 || byte_bits > 60 || ((Py_ssize_t)1 << byte_bits) != all->present.len) {
        *found = NULL;
        return 0;
    }
    *found = malloc(sizeof(uint32_t) * (size_t)count * MAX_FOUND);
    if (!*found)
        return -1;
    /* Each step asks memory for all that the next one reads, so that the misses are waited for together. */
    for (int i = 0; i < count; i++)
        PREFETCH(present + (probes[i] >> (64 - byte_bits)));
    int kept_probes = 0;
    for (int i = 0; i < count; i++)
        if (present[probes[i] >> (64 - byte_bits)] >> ((probes[i] >> (61 - byte_bits)) & 7) & 1) {
            probes[kept_probes++] = probes[i];
            PREFETCH(words + (size_t)(((probes[i] >> 32) * (uint64_t)count_words) >> 32));
        }
    for (int i = 0; i < kept_probes; i++) {
        const uint64_t key = probes[i] & ~NUMBERS;
        size_t at = lower_bound(words, count_words, key);
        for (int n = 0; n < MAX_FOUND && at < count_words && (words[at] & ~NUMBERS) == key; n++, at++)
            (*found)[total++] = (uint32_t)(words[at] & NUMBERS);
    }
    qsort(*found, total, sizeof(uint32_t), ascending);
    size_t kept = 0;
    for (size_t i = 0; i < total; i++)
        if (!kept || (*found)[i] != (*found)[kept - 1])
            (*found)[kept++] = (*found)[i];
    return (Py_ssize_t)kept;
}

/* A tuple of the fields of slips, each made by a named tuple's own type. */
static PyObject *told(const Slip *slips, int count, const char *mine, const char *theirs, PyObject *type)
{
    const newfunc make = (newfunc)PyType_GetSlot(&PyTuple_Type, Py_tp_new);
    PyObject *all = PyTuple_New(count);
    for (int n = 0; all && n < count; n++) {
        const Slip *slip = slips + n;
        PyObject *fields = Py_BuildValue("((iis#s#))", slip->at, slip->their_at, mine + slip->at, (Py_ssize_t)slip->mine,
                                         theirs + slip->their_at, (Py_ssize_t)slip->theirs);
        PyObject *one = fields ? make((PyTypeObject *)type, fields, NULL) : NULL;
        Py_XDECREF(fields);
        if (!one || PyTuple_SetItem(all, n, one) < 0)
            Py_CLEAR(all);
    }
    return all;
}

PyDoc_STRVAR(near_doc,
"near(flat, words, present, flats, ends, edit)\n--\n\n"
"Names at most two slips from a text of 1 to 64 bytes, at most 512, by ascending number: (number, slips), each slip of\n"
"the type `edit`, a named tuple of four.");

static PyObject *native_near(PyObject *self, PyObject *args)
{
    const char *flat;
    Py_ssize_t length;
    PyObject *words, *present, *flats, *ends, *edit, *result = NULL;
    Buffers all = {.held = 0};
    uint32_t *found = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "y#OOOOO!:near", &flat, &length, &words, &present, &flats, &ends, &PyType_Type, &edit))
        return NULL;
    if (length < 1 || length > LONGEST || !PyType_IsSubtype((PyTypeObject *)edit, &PyTuple_Type)) {
        PyErr_SetString(PyExc_ValueError, "a text has 1 to 64 bytes here, and slips are tuples");
        return NULL;
    }
    if (hold(words, &all.words, &all) || hold(present, &all.present, &all) || hold(flats, &all.flats, &all)
        || hold(ends, &all.ends, &all))
        goto done;
    const char *names = all.flats.buf;
    const uint32_t *stops = all.ends.buf;
    const size_t count_names = (size_t)all.ends.len / sizeof(uint32_t);
    Py_ssize_t count = gather((const unsigned char *)flat, (int)length, &all, &found);
    if (count < 0) {
        PyErr_NoMemory();
        goto done;
    }
    result = PyList_New(0);
    for (Py_ssize_t i = 0; result && i < count && PyList_Size(result) < MAX_NEAR; i++) {
        const size_t number = found[i];
        Slip slips[MAX_EDITS];
        if (number >= count_names || stops[number] > (size_t)all.flats.len)
            continue;
        /* One line feed stands between two names. */
        const size_t start = number ? (size_t)stops[number - 1] + 1 : 0;
        if (start > stops[number] || stops[number] - start > LONGEST)
            continue;
        const char *theirs = names + start;
        const int many = explain((const unsigned char *)flat, (int)length, (const unsigned char *)theirs,
                                 (int)(stops[number] - start), slips);
        if (many < 0)
            continue;
        PyObject *how = told(slips, many, flat, theirs, edit);
        PyObject *one = how ? Py_BuildValue("(nN)", (Py_ssize_t)number, how) : NULL;
        if (!one || PyList_Append(result, one) < 0)
            Py_CLEAR(result);
        Py_XDECREF(one);
    }
done:
    free(found);
    release(&all);
    return result;
}

PyDoc_STRVAR(letters_doc,
"letters(text, codes, model, letters)\n--\n\n"
"The cost of a text and its end, each letter after the three before it. Of the 256 codes, each below `letters`, one\n"
"stands for each letter of ASCII and that of \"?\" for any other.");

static PyObject *native_letters(PyObject *self, PyObject *args)
{
    const char *text, *table;
    Py_ssize_t length, codes;
    PyObject *object;
    Py_buffer model;
    unsigned int letters;
    (void)self;
    if (!PyArg_ParseTuple(args, "s#y#OI:letters", &text, &length, &table, &codes, &object, &letters))
        return NULL;
    if (letters < 1 || letters > 128 || codes != 256 || PyObject_GetBuffer(object, &model, PyBUF_SIMPLE) < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "there are 1 to 128 letters and 256 codes");
        return NULL;
    }
    const unsigned char *costs = model.buf;
    const size_t contexts = (size_t)letters * letters * letters;
    size_t context = 0, sum = 0;
    int good = (size_t)model.len == contexts * letters;
    for (Py_ssize_t i = 0; good && i <= length; i++) {
        unsigned char letter = i < length ? (unsigned char)text[i] : 0, code = 0;
        if ((letter & 0xC0) == 0x80)
            continue; /* the rest of a letter beyond ASCII */
        if (i < length)
            code = (unsigned char)table[letter < 0x80 ? letter : '?'];
        good = code < letters;
        if (good) {
            context = context % contexts * letters + code;
            sum += costs[context];
        }
    }
    PyBuffer_Release(&model);
    if (!good) {
        PyErr_SetString(PyExc_ValueError, "the model has another number of letters");
        return NULL;
    }
    return PyLong_FromSize_t(sum);
}

static uint32_t crc_table[256];

static uint32_t crc32(const unsigned char *text, Py_ssize_t length)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (Py_ssize_t i = 0; i < length; i++)
        crc = crc_table[(crc ^ text[i]) & 0xFF] ^ (crc >> 8);
    return crc ^ 0xFFFFFFFFu;
}

PyDoc_STRVAR(find_doc,
"find(starts, hashes, values, key)\n--\n\n"
"Numbers that a multimap files under a text, ascending, at most 64.");

static PyObject *native_find(PyObject *self, PyObject *args)
{
    const char *key;
    Py_ssize_t length;
    PyObject *objects[3], *result = NULL;
    Py_buffer buffers[3];
    int held = 0, shift = 32;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOOs#:find", &objects[0], &objects[1], &objects[2], &key, &length))
        return NULL;
    for (; held < 3; held++)
        if (PyObject_GetBuffer(objects[held], &buffers[held], PyBUF_SIMPLE) < 0)
            goto done;
    const uint32_t *starts = buffers[0].buf, *hashes = buffers[1].buf, *values = buffers[2].buf;
    const size_t buckets = (size_t)buffers[0].len / sizeof(uint32_t) - 1;
    const size_t count = (size_t)(buffers[1].len < buffers[2].len ? buffers[1].len : buffers[2].len) / sizeof(uint32_t);
    const uint32_t wanted = crc32((const unsigned char *)key, length);
    for (size_t n = buckets; n > 1; n >>= 1)
        shift--;
    result = PyList_New(0);
    if (!result || buffers[0].len < (Py_ssize_t)(3 * sizeof(uint32_t)) || shift > 31 || wanted >> shift >= buckets)
        goto done;
    size_t at = starts[wanted >> shift], stop = starts[(wanted >> shift) + 1];
    for (int found = 0; at < stop && at < count && found < MAX_FOUND; at++) {
        if (hashes[at] != wanted)
            continue;
        if (append(result, values[at]) < 0) {
            Py_CLEAR(result);
            break;
        }
        found++;
    }
done:
    while (held)
        PyBuffer_Release(&buffers[--held]);
    return result;
}

/* The cost of a token by its hash in an open table of at least one empty slot, in millionths; -1 for none. */
static int64_t cost_of(uint64_t hash, const uint64_t *slots, const uint32_t *costs, int bits)
{
    const size_t mask = ((size_t)1 << bits) - 1;
    const uint64_t wanted = hash ? hash : 1;
    size_t at = (size_t)(wanted >> (64 - bits));
    for (size_t looked = 0; slots[at] && looked <= mask; looked++, at = (at + 1) & mask)
        if (slots[at] == wanted)
            return costs[at];
    return -1;
}

PyDoc_STRVAR(segments_doc,
"segments(flat, slots, costs, start, letter, longest)\n--\n\n"
"The cost of the cheapest way to cut a text of up to 64 letters into tokens that have costs, and strays.");

static PyObject *native_segments(PyObject *self, PyObject *args)
{
    const char *text;
    Py_ssize_t length;
    PyObject *slots, *costs, *result = NULL;
    double start_cost, letter_cost, best[LONGEST + 1], opened = 1e9;
    Buffers all = {.held = 0};
    int longest, bits = 0;
    (void)self;
    if (!PyArg_ParseTuple(args, "y#OOddi:segments", &text, &length, &slots, &costs, &start_cost, &letter_cost, &longest))
        return NULL;
    if (length > LONGEST) {
        PyErr_SetString(PyExc_ValueError, "a text has at most 64 letters here");
        return NULL;
    }
    if (hold(slots, &all.words, &all) || hold(costs, &all.present, &all))
        goto done;
    while (bits < 40 && ((Py_ssize_t)8 << bits) < all.words.len)
        bits++;
    if (bits < 1 || ((Py_ssize_t)8 << bits) != all.words.len || ((Py_ssize_t)4 << bits) != all.present.len) {
        PyErr_SetString(PyExc_ValueError, "a table is a power of two long");
        goto done;
    }
    best[0] = 0;
    for (Py_ssize_t end = 1; end <= length; end++)
        best[end] = 1e9;
    for (Py_ssize_t at = 0; at <= length; at++) {
        /* Letters that are in no token cost by the letter, and once for each run of them. */
        if (at) {
            const double fresh = best[at - 1] + start_cost;
            opened = (opened < fresh ? opened : fresh) + letter_cost;
            if (opened < best[at])
                best[at] = opened;
        }
        uint64_t hash = 0, power = 1;
        for (Py_ssize_t end = at; end < length && end - at < longest; end++, power *= BASE) {
            hash += (uint64_t)((unsigned char)text[end] + 1) * LETTER * power;
            if (end == at)
                continue; /* a single letter is no token */
            const int64_t cost = cost_of(hash, all.words.buf, all.present.buf, bits);
            if (cost >= 0 && best[at] + (double)cost / 1e6 < best[end + 1])
                best[end + 1] = best[at] + (double)cost / 1e6;
        }
    }
    result = PyFloat_FromDouble(best[length]);
done:
    release(&all);
    return result;
}

PyDoc_STRVAR(odds_doc,
"odds(signs, table, start)\n--\n\n"
"The sum of the weights of signs by a table of name: n cuts and n + 1 weights, all of them doubles; and a start.");

static PyObject *native_odds(PyObject *self, PyObject *args)
{
    PyObject *signs, *table, *name, *value;
    double total;
    Py_ssize_t place = 0;
    (void)self;
    if (!PyArg_ParseTuple(args, "O!O!d:odds", &PyDict_Type, &signs, &PyDict_Type, &table, &total))
        return NULL;
    while (PyDict_Next(signs, &place, &name, &value)) {
        char *packed;
        Py_ssize_t length, range = 0;
        PyObject *sign = PyDict_GetItemWithError(table, name);
        if (!sign) {
            if (PyErr_Occurred())
                return NULL;
            continue;
        }
        const double seen = PyFloat_AsDouble(value);
        if ((seen == -1.0 && PyErr_Occurred()) || PyBytes_AsStringAndSize(sign, &packed, &length) < 0)
            return NULL;
        if (length % (2 * (Py_ssize_t)sizeof(double)) != (Py_ssize_t)sizeof(double)) {
            PyErr_SetString(PyExc_ValueError, "there is one weight more than cuts");
            return NULL;
        }
        const double *cuts = (const double *)(void *)packed;
        const Py_ssize_t count = length / (2 * (Py_ssize_t)sizeof(double));
        /* A dozen cuts at most: looking at each is as quick as bisecting. */
        while (range < count && cuts[range] <= seen)
            range++;
        total += cuts[count + range];
    }
    return PyFloat_FromDouble(total);
}

static PyMethodDef methods[] = {
    {"near", native_near, METH_VARARGS, near_doc},
    {"find", native_find, METH_VARARGS, find_doc},
    {"letters", native_letters, METH_VARARGS, letters_doc},
    {"odds", native_odds, METH_VARARGS, odds_doc},
    {"segments", native_segments, METH_VARARGS, segments_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_native", "The inner loops of a scan.", -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void)
{
    inverse = 1;
    for (int i = 0; i < 6; i++) /* Newton's method doubles the number of right bits */
        inverse *= 2 - BASE * inverse;
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t crc = n;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
        crc_table[n] = crc;
    }
    return PyModule_Create(&module);
}
