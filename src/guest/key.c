/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/key.h"

#include <string.h>

struct guest_key *
guest_keys_add(struct guest_keys *keys, struct v2v_error *err)
{
    struct guest_key *grown =
        reallocarray(keys->items, keys->count + 1, sizeof *grown);

    if (grown == NULL) {
        v2v_error_set(err, V2V_ERR_INTERNAL, "no memory");
        return NULL;
    }
    keys->items = grown;
    grown[keys->count] = (struct guest_key){ 0 };
    return &grown[keys->count++];
}

void
guest_keys_done(struct guest_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->items[i].text != NULL)
            explicit_bzero(keys->items[i].text, strlen(keys->items[i].text));
        free(keys->items[i].text);
        free(keys->items[i].name);
    }
    free(keys->items);
    *keys = (struct guest_keys){ 0 };
}

bool
guest_key_is_for(const struct guest_key *key, unsigned disk, unsigned partition,
                 const struct bitlocker *volume)
{
    switch (key->kind) {
    case GUEST_KEY_ALL:
        return true;
    case GUEST_KEY_PLACE:
        return key->disk == disk && key->partition == partition;
    case GUEST_KEY_ID:
        break;
    }
    return bitlocker_has_id(volume, key->name);
}
