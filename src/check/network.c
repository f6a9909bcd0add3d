/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses belong to an adapter, and a virtio network card is another one: it
 * starts with DHCP, and the old one stays behind with its settings. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "check/internal.h"

/* What an adapter may have of anything before the rest goes unsaid. */
enum { max_listed = 8, max_adapters = 256, max_name = 64, max_device = 100 };

enum { luid_len = 8 };

/* The class of network adapters. */
static const char net_class[] = "{4d36e972-e325-11ce-bfc1-08002be10318}";

struct adapter {
    char *guid;
    char *name;   /* "Ethernet", as the user sees it */
    char *device; /* PnP instance: "PCI\\VEN_8086&DEV_100E...\\..." or "" */
    struct v2v_bytes addresses; /* "10.0.0.5/24, 2001:db8::5/64" */
    struct v2v_bytes gateways, dns;
    uint8_t luid[luid_len];
    size_t ipv6_count;
    bool dhcp; /* IPv4 */
};

static void
adapter_done(struct adapter *a)
{
    free(a->guid);
    free(a->name);
    free(a->device);
    v2v_bytes_done(&a->addresses);
    v2v_bytes_done(&a->gateways);
    v2v_bytes_done(&a->dns);
}

static inline void
v2v_auto_adapter(struct adapter *a)
{
    adapter_done(a);
}

/* IPv4 -------------------------------------------------------------------- */

/* Of "255.255.255.0" 24; -1: it is no mask. */
static int
prefix_of(const char *mask)
{
    struct in_addr in;
    uint32_t bits;
    int prefix = 0;

    if (mask == NULL || inet_pton(AF_INET, mask, &in) != 1)
        return -1;
    for (bits = ntohl(in.s_addr); bits & UINT32_C(0x80000000); bits <<= 1)
        prefix++;
    return bits == 0 ? prefix : -1;
}

/* Windows keeps 0.0.0.0 where there is none. */
static bool
is_address(int family, const char *text)
{
    static const struct in6_addr none;
    struct in6_addr in = none;

    return inet_pton(family, text, &in) == 1 &&
           memcmp(&in, &none, sizeof in) != 0;
}

static int
read_addresses(struct check *check, const char *key, struct adapter *a,
               struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings addresses = { 0 }, masks = { 0 };
    struct reg_hive *hive = check->system;

    if (check_get_strings(hive, key, "IPAddress", &addresses, err) < 0 ||
        check_get_strings(hive, key, "SubnetMask", &masks, err) < 0)
        return -1;
    for (size_t i = 0; i < addresses.count && i < max_listed; i++) {
        const char *mask = i < masks.count ? masks.items[i] : NULL;
        int prefix = prefix_of(mask);
        char text[64];

        if (!is_address(AF_INET, addresses.items[i]))
            continue;
        if (prefix >= 0)
            snprintf(text, sizeof text, "%s/%d", addresses.items[i], prefix);
        else
            snprintf(text, sizeof text, "%s", addresses.items[i]);
        if (v2v_bytes_list(&a->addresses, err, "%s", text) < 0)
            return -1;
    }
    return 0;
}

static int
read_gateways(struct check *check, const char *key, struct adapter *a,
              struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings gateways = { 0 };

    if (check_get_strings(check->system, key, "DefaultGateway", &gateways,
                          err) < 0)
        return -1;
    for (size_t i = 0; i < gateways.count && i < max_listed; i++)
        if (is_address(AF_INET, gateways.items[i]) &&
            v2v_bytes_list(&a->gateways, err, "%s", gateways.items[i]) < 0)
            return -1;
    return 0;
}

/* NameServer is one string, with commas, or blanks in older Windows. */
static int
read_dns(struct check *check, const char *key, int family, struct adapter *a,
         struct v2v_error *err)
{
    V2V_AUTO(mem) char *list = NULL;
    char *rest, *word;
    size_t count = 0;
    int found = check_get_string(check->system, key, "NameServer", &list, err);

    if (found <= 0)
        return found;
    rest = list;
    while ((word = strsep(&rest, ", ")) != NULL && count < max_listed) {
        if (!is_address(family, word))
            continue;
        count++;
        if (v2v_bytes_list(&a->dns, err, "%s", word) < 0)
            return -1;
    }
    return 0;
}

static int
read_ipv4(struct check *check, struct adapter *a, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key =
        v2v_format(err, "%s\\Services\\Tcpip\\Parameters\\Interfaces\\%s",
                   check->control_set, a->guid);
    uint32_t dhcp = 0;

    if (check_get_dword(check->system, key, "EnableDHCP", &dhcp, err) < 0)
        return -1;
    a->dhcp = dhcp != 0;
    if (!a->dhcp &&
        (read_addresses(check, key, a, err) < 0 ||
         (a->addresses.len > 0 && read_gateways(check, key, a, err) < 0)))
        return -1;
    return read_dns(check, key, AF_INET, a, err);
}

/* IPv6 -------------------------------------------------------------------- */

/* The persistent table of unicast addresses (10) of the network store's IPv6
 * module.  A value's name is its key, 24 bytes in hexadecimal: NET_LUID and
 * address; the prefix length is byte 16 of the data.  Read for IPv4 in hives of
 * Windows 7, where the address has 4 bytes and 4 of padding; the structures are
 * Wine's nsi_ipv6_unicast_key and nsi_ip_unicast_rw, include/wine/nsi.h. */
static const char ipv6_table[] =
    "Control\\Nsi\\{eb004a01-9b1a-11d4-9123-0050047759bc}\\10";

enum { prefix_at = 16 };

struct ipv6_key {
    uint8_t luid[luid_len];
    struct in6_addr address;
};

static bool
parse_ipv6_key(const char *name, struct ipv6_key *ret)
{
    uint8_t *out = (uint8_t *)ret;

    if (strlen(name) != 2 * sizeof *ret ||
        strspn(name, "0123456789abcdefABCDEF") != 2 * sizeof *ret)
        return false;
    for (size_t i = 0; i < sizeof *ret; i++) {
        const char digits[] = { name[2 * i], name[2 * i + 1], '\0' };

        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return true;
}

/* NET_LUID: 24 bits reserved, 24 bits index, 16 bits type of interface
 * (ifdef.h); an adapter has both in its driver's key.  1: @ret is written. */
static int
read_luid(struct check *check, const char *driver_key, uint8_t *ret,
          struct v2v_error *err)
{
    uint32_t index = 0, type = 0;
    int has_index =
        check_get_dword(check->system, driver_key, "NetLuidIndex", &index, err);
    int has_type =
        check_get_dword(check->system, driver_key, "*IfType", &type, err);

    if (has_index <= 0 || has_type <= 0)
        return has_index < 0 || has_type < 0 ? -1 : 0;
    memset(ret, 0, luid_len);
    v2v_put_le(ret + 3, index, 3);
    v2v_put_le(ret + 6, type, 2);
    return 1;
}

static int
find_luid(struct check *check, const char *guid, uint8_t *ret,
          struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *class = v2v_format(err, "%s\\Control\\Class\\%s", check->control_set,
                             net_class);
    V2V_AUTO(strings) struct v2v_strings keys = { 0 };

    if (check_children(check->system, class, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count && i < max_adapters; i++) {
        V2V_AUTO(mem)
        char *key = v2v_format(err, "%s\\%s", class, keys.items[i]);
        V2V_AUTO(mem) char *id = NULL;
        int found =
            check_get_string(check->system, key, "NetCfgInstanceId", &id, err);

        if (found < 0)
            return -1;
        if (found > 0 && v2v_equal_nocase(id, guid))
            return read_luid(check, key, ret, err);
    }
    return 0;
}

static int
add_ipv6(struct check *check, const char *table, const char *name,
         struct adapter *a, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    char address[INET6_ADDRSTRLEN], text[sizeof address + 8];
    struct ipv6_key key;
    uint32_t type;

    if (!parse_ipv6_key(name, &key) ||
        memcmp(key.luid, a->luid, luid_len) != 0 ||
        IN6_IS_ADDR_LINKLOCAL(&key.address) || a->ipv6_count++ >= max_listed)
        return 0;
    inet_ntop(AF_INET6, &key.address, address, sizeof address);
    snprintf(text, sizeof text, "%s", address);
    if (reg_get(check->system, table, name, &type, &data, NULL) == 0 &&
        data.len > prefix_at && data.data[prefix_at] <= 128)
        snprintf(text, sizeof text, "%s/%u", address, data.data[prefix_at]);
    return v2v_bytes_list(&a->addresses, err, "%s", text);
}

static int
read_ipv6_addresses(struct check *check, struct adapter *a,
                    struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *table = v2v_format(err, "%s\\%s", check->control_set, ipv6_table);
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    int found = find_luid(check, a->guid, a->luid, err);

    if (found <= 0)
        return found;
    if (check_value_names(check->system, table, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (add_ipv6(check, table, names.items[i], a, err) < 0)
            return -1;
    return 0;
}

static int
read_ipv6(struct check *check, struct adapter *a, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key =
        v2v_format(err, "%s\\Services\\Tcpip6\\Parameters\\Interfaces\\%s",
                   check->control_set, a->guid);

    return key == NULL || read_ipv6_addresses(check, a, err) < 0
               ? -1
               : read_dns(check, key, AF_INET6, a, err);
}

/* Adapters ---------------------------------------------------------------- */

/* Adapters that no move takes away: those of Windows itself, of software, and
 * virtio's own.  An adapter of Windows 7's tunnels has no device, and no
 * address either. */
static bool
stays(const char *device)
{
    static const char *const prefixes[] = {
        "ROOT\\", "SWD\\",          "SW\\",          "BTH\\",
        "{",      "COMPOSITEBUS\\", "PCI\\VEN_1AF4&"
    };

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (v2v_has_prefix_nocase(device, prefixes[i]))
            return true;
    return false;
}

/* network adapter "Ethernet" (PCI\VEN_8086&DEV_100E...): without the instance
 */
static int
describe(const struct adapter *a, struct v2v_bytes *ret, struct v2v_error *err)
{
    const char *id = strchr(a->device, '\\');
    const char *instance = id != NULL ? strchr(id + 1, '\\') : NULL;
    size_t len = instance != NULL ? (size_t)(instance - a->device) : max_device;

    if (v2v_bytes_printf(ret, err, "network adapter \"%.*s\"",
                         v2v_cut(a->name, max_name), a->name) < 0)
        return -1;
    if (*a->device == '\0')
        return 0;
    return v2v_bytes_printf(
        ret, err, " (%.*s)",
        v2v_cut(a->device, len < max_device ? len : max_device), a->device);
}

static int
add_part(struct v2v_bytes *text, const char *what, const struct v2v_bytes *list,
         struct v2v_error *err)
{
    if (list->len == 0)
        return 0;
    return v2v_bytes_printf(text, err, "%s%.*s", what, (int)list->len,
                            (const char *)list->data);
}

static int
report(struct check *check, const struct adapter *a, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    const char *code = a->addresses.len > 0 ? "static-ip" : "static-dns";

    if (a->addresses.len == 0 && a->dns.len == 0)
        return 0;
    if (describe(a, &text, err) < 0 ||
        add_part(&text, ": ", &a->addresses, err) < 0 ||
        add_part(&text, ", gateway ", &a->gateways, err) < 0 ||
        add_part(&text, a->addresses.len > 0 ? ", DNS " : ": DNS ", &a->dns,
                 err) < 0)
        return -1;
    return check_found(check, code, err,
                       "%.*s (SYSTEM\\%s\\Services\\Tcpip\\Parameters\\"
                       "Interfaces\\%s)",
                       (int)text.len, (const char *)text.data,
                       check->control_set, a->guid);
}

/* Microsoft's network adapter multiplexor, ndisimplatformmp.inf. */
static const char team_device[] = "COMPOSITEBUS\\MS_IMPLAT_MP";

static int
report_team(struct check *check, struct adapter *a, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };

    if (read_ipv4(check, a, err) < 0 || describe(a, &text, err) < 0 ||
        add_part(&text, ": ", &a->addresses, err) < 0)
        return -1;
    return check_found(check, "network-team", err, "%.*s", (int)text.len,
                       (const char *)text.data);
}

static int
look_at(struct check *check, struct adapter *a, struct v2v_error *err)
{
    if (v2v_has_prefix_nocase(a->device, team_device))
        return report_team(check, a, err);
    if (stays(a->device))
        return 0;
    if (read_ipv4(check, a, err) < 0 || read_ipv6(check, a, err) < 0)
        return -1;
    return report(check, a, err);
}

/* An adapter without a connection is none that the user has: its card is gone.
 * 1, 0 or -1. */
static int
find_connection(struct check *check, struct adapter *a, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key = v2v_format(err, "%s\\Control\\Network\\%s\\%s\\Connection",
                           check->control_set, net_class, a->guid);
    int found = check_has_key(check->system, key, err);

    if (found <= 0)
        return found;
    if (check_get_string(check->system, key, "Name", &a->name, err) < 0 ||
        check_get_string(check->system, key, "PnpInstanceID", &a->device, err) <
            0)
        return -1;
    if (a->name == NULL && (a->name = v2v_strdup(a->guid, err)) == NULL)
        return -1;
    if (a->device == NULL && (a->device = v2v_strdup("", err)) == NULL)
        return -1;
    return 1;
}

static int
addresses_that_stay_behind(struct check *check, struct v2v_error *err)
{
    V2V_AUTO(mem)
    char *key = v2v_format(err, "%s\\Control\\Network\\%s", check->control_set,
                           net_class);
    V2V_AUTO(strings) struct v2v_strings guids = { 0 };

    if (check_children(check->system, key, &guids, err) < 0)
        return -1;
    for (size_t i = 0; i < guids.count && i < max_adapters; i++) {
        V2V_AUTO(adapter)
        struct adapter a = { .guid = v2v_strdup(guids.items[i], err) };
        int found;

        if (a.guid == NULL || (found = find_connection(check, &a, err)) < 0 ||
            (found > 0 && look_at(check, &a, err) < 0))
            return -1;
    }
    return 0;
}

const check_rule check_network_rules[] = { addresses_that_stay_behind, NULL };
