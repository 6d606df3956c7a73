#include "receipts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct node {
	struct node *next;
	char name[NAME_MAX_LEN + 1];
	int64_t *seqs;
	size_t count, room;
};

struct receipts {
	struct node *nodes;
};

struct receipts *receipts_open(void)
{
	return calloc(1, sizeof(struct receipts));
}

void receipts_clear(struct receipts *receipts)
{
	while (receipts->nodes) {
		struct node *node = receipts->nodes;

		receipts->nodes = node->next;
		free(node->seqs);
		free(node);
	}
}

void receipts_close(struct receipts *receipts)
{
	if (!receipts)
		return;
	receipts_clear(receipts);
	free(receipts);
}

static struct node *find_node(struct receipts *receipts, const char *name)
{
	struct node **link = &receipts->nodes;

	for (; *link; link = &(*link)->next) {
		struct node *node = *link;

		if (strcmp(node->name, name) != 0)
			continue;
		*link = node->next; /* to the front: batches come from one node at a time */
		node->next = receipts->nodes;
		receipts->nodes = node;
		return node;
	}
	*link = calloc(1, sizeof(**link));
	if (*link)
		strncpy((*link)->name, name, NAME_MAX_LEN);
	return *link;
}

int receipts_add(struct receipts *receipts, const char *node_name, int64_t seq)
{
	struct node *node = find_node(receipts, node_name);

	if (!node)
		return -ENOMEM;
	if (node->count == node->room) {
		size_t room = node->room ? node->room * 2 : 16;
		int64_t *seqs = reallocarray(node->seqs, room, sizeof(*seqs));

		if (!seqs)
			return -ENOMEM;
		node->seqs = seqs;
		node->room = room;
	}
	node->seqs[node->count++] = seq;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void receipts_send(struct receipts *receipts,
		   void (*send)(void *context, const char *node, const struct wire_range *ranges, size_t count), void *context)
{
	struct wire_range ranges[RECEIPTS_RANGES_MAX];

	for (struct node *node = receipts->nodes; node; node = node->next) {
		size_t count = 0;

		qsort(node->seqs, node->count, sizeof(*node->seqs), by_number);
		for (size_t i = 0; i < node->count; i++) {
			int64_t seq = node->seqs[i];

			if (count > 0 && seq <= ranges[count - 1].last + 1) {
				ranges[count - 1].last = seq;
				continue;
			}
			if (count == RECEIPTS_RANGES_MAX) {
				send(context, node->name, ranges, count);
				count = 0;
			}
			ranges[count++] = (struct wire_range){ seq, seq };
		}
		if (count > 0)
			send(context, node->name, ranges, count);
	}
	receipts_clear(receipts);
}
