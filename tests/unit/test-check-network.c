/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check/network.c: addresses that stay behind on the old adapter. */
#include "test-check-tools.h"

#define CARD "{11111111-2222-3333-4444-555555555555}"
#define CLASS "{4D36E972-E325-11CE-BFC1-08002BE10318}"
#define IPV4 CS "Services\\Tcpip\\Parameters\\Interfaces\\" CARD
#define IPV6 CS "Services\\Tcpip6\\Parameters\\Interfaces\\" CARD
#define CONNECTION CS "Control\\Network\\" CLASS "\\" CARD "\\Connection"
#define DRIVER CS "Control\\Class\\" CLASS "\\0007"
#define TABLE CS "Control\\Nsi\\{eb004a01-9b1a-11d4-9123-0050047759bc}\\10"
#define PCI "sz:PCI\\VEN_8086&DEV_100E&SUBSYS_11001AF4\\3&13C0B0C5&0&18"

#define NAMED(text)                                                            \
    {                                                                          \
        REG_SYSTEM, CONNECTION, "Name", "sz:" text                             \
    }
#define DEVICE(id)                                                             \
    {                                                                          \
        REG_SYSTEM, CONNECTION, "PnpInstanceID", id                            \
    }
#define SET(key, name, value)                                                  \
    {                                                                          \
        REG_SYSTEM, key, name, value                                           \
    }

static struct scene guest;

static void
test_rows(void **state)
{
    static const struct rule_case cases[] = {
        { "as it is",
          { { REG_SYSTEM, NULL, NULL, NULL } },
          { { NULL, NULL } } },
        { "static",
          { NAMED("Ethernet0"), DEVICE(PCI), SET(IPV4, "EnableDHCP", "dword:0"),
            SET(IPV4, "IPAddress", "list:10.0.0.5|10.0.0.6"),
            SET(IPV4, "SubnetMask", "list:255.255.255.0|255.255.0.0"),
            SET(IPV4, "DefaultGateway", "list:10.0.0.1"),
            SET(IPV4, "NameServer", "sz:10.0.0.2,10.0.0.3") },
          { { "static-ip",
              "network adapter \"Ethernet0\" (PCI\\VEN_8086&DEV_100E&"
              "SUBSYS_11001AF4): 10.0.0.5/24, 10.0.0.6/16, gateway 10.0.0.1, "
              "DNS 10.0.0.2, 10.0.0.3 (SYSTEM\\ControlSet001\\Services\\Tcpip\\"
              "Parameters\\Interfaces\\" CARD ")" } } },
        { "an odd mask, DNS with blanks as in Windows XP",
          { NAMED("LAN"), DEVICE(PCI), SET(IPV4, "EnableDHCP", "dword:0"),
            SET(IPV4, "IPAddress", "list:10.0.0.5"),
            SET(IPV4, "SubnetMask", "list:255.0.255.0"),
            SET(IPV4, "NameServer", "sz:10.0.0.2 10.0.0.3") },
          { { "static-ip", ": 10.0.0.5, DNS 10.0.0.2, 10.0.0.3 (" } } },
        { "0.0.0.0 is none",
          { NAMED("LAN"), DEVICE(PCI), SET(IPV4, "EnableDHCP", "dword:0"),
            SET(IPV4, "IPAddress", "list:0.0.0.0"),
            SET(IPV4, "SubnetMask", "list:0.0.0.0"),
            SET(IPV4, "DefaultGateway", "list:0.0.0.0") },
          { { NULL, NULL } } },
        { "DHCP, and what an earlier setting left",
          { NAMED("LAN"), DEVICE(PCI), SET(IPV4, "EnableDHCP", "dword:1"),
            SET(IPV4, "IPAddress", "list:10.0.0.5"),
            SET(IPV4, "SubnetMask", "list:255.255.255.0"),
            SET(IPV4, "DhcpIPAddress", "sz:10.0.0.9"),
            SET(IPV4, "DhcpNameServer", "sz:10.0.0.2") },
          { { NULL, NULL } } },
        { "DHCP with own DNS",
          { NAMED("LAN"), DEVICE(PCI), SET(IPV4, "EnableDHCP", "dword:1"),
            SET(IPV4, "NameServer", "sz:9.9.9.9"),
            SET(IPV6, "NameServer", "sz:2620:fe::fe") },
          { { "static-dns", "\"LAN\" (PCI\\VEN_8086&DEV_100E&SUBSYS_11001AF4): "
                            "DNS 9.9.9.9, 2620:fe::fe (" } } },
        { "IPv6, of this adapter only, without link-local ones",
          { NAMED("LAN"), DEVICE(PCI), SET(IPV4, "EnableDHCP", "dword:1"),
            SET(DRIVER, "NetCfgInstanceId", "sz:" CARD),
            SET(DRIVER, "NetLuidIndex", "dword:0x8001"),
            SET(DRIVER, "*IfType", "dword:6"),
            SET(TABLE,
                "0000000180000600"
                "20010db8000000000000000000000005",
                "hex:ffffffffffffffff100000001000000040000000"),
            SET(TABLE,
                "0000000280000600"
                "20010db8000000000000000000000006",
                "hex:ffffffffffffffff100000001000000040000000"),
            SET(TABLE,
                "0000000180000600"
                "fe800000000000000000000000000005",
                "hex:ffffffffffffffff100000001000000040000000") },
          { { "static-ip", "(PCI\\VEN_8086&DEV_100E&SUBSYS_11001AF4): "
                           "2001:db8::5/64 (" } } },
        { "a table of IPv6 addresses that is none",
          { NAMED("LAN"), DEVICE(PCI), SET(IPV4, "EnableDHCP", "dword:1"),
            SET(DRIVER, "NetCfgInstanceId", "sz:" CARD),
            SET(DRIVER, "NetLuidIndex", "dword:0x8001"),
            SET(DRIVER, "*IfType", "dword:6"),
            SET(TABLE, "0000000180000600", "hex:00"),
            SET(TABLE, "000000018000060020010db800000000000000000000000x",
                "hex:00"),
            SET(TABLE,
                "0000000180000600"
                "20010db8000000000000000000000005",
                "hex:ff") },
          { { "static-ip", ": 2001:db8::5 (" } } },
        { "a card that is gone",
          { SET(IPV4, "EnableDHCP", "dword:0"),
            SET(IPV4, "IPAddress", "list:10.0.0.5"),
            SET(IPV4, "SubnetMask", "list:255.255.255.0") },
          { { NULL, NULL } } },
        { "a loopback adapter stays",
          { NAMED("Loopback"), DEVICE("sz:ROOT\\NET\\0000"),
            SET(IPV4, "EnableDHCP", "dword:0"),
            SET(IPV4, "IPAddress", "list:10.0.0.5") },
          { { NULL, NULL } } },
        { "a virtio adapter stays",
          { NAMED("Ethernet"),
            DEVICE("sz:PCI\\VEN_1AF4&DEV_1000&SUBSYS_00011AF4&REV_00\\3&13c0"),
            SET(IPV4, "EnableDHCP", "dword:0"),
            SET(IPV4, "IPAddress", "list:10.0.0.5") },
          { { NULL, NULL } } },
        { "Hyper-V's adapter goes",
          { NAMED("Ethernet"),
            DEVICE("sz:VMBUS\\{f8615163-df3e-46c5-913f-f2d2f965ed0e}\\{1}"),
            SET(IPV4, "EnableDHCP", "dword:0"),
            SET(IPV4, "IPAddress", "list:10.0.0.5") },
          { { "static-ip", "\"Ethernet\" (VMBUS\\{f8615163-" } } },
        { "a team",
          { NAMED("Team1"), DEVICE("sz:COMPOSITEBUS\\MS_IMPLAT_MP\\{1}"),
            SET(IPV4, "EnableDHCP", "dword:0"),
            SET(IPV4, "IPAddress", "list:10.0.0.5"),
            SET(IPV4, "SubnetMask", "list:255.255.255.0") },
          { { "network-team", "network adapter \"Team1\" (COMPOSITEBUS\\"
                              "MS_IMPLAT_MP): 10.0.0.5/24" } } },
        { "values of other types count as absent",
          { NAMED("LAN"), DEVICE("dword:1"), SET(IPV4, "EnableDHCP", "sz:0"),
            SET(IPV4, "IPAddress", "sz:10.0.0.5"),
            SET(IPV4, "NameServer", "dword:7") },
          { { NULL, NULL } } },
        { "a name that would steer a terminal, cut at a character",
          { NAMED("\x1b[31määäääääääääääääääääääääääääääääääääääääää"),
            SET(IPV4, "IPAddress", "list:10.0.0.5") },
          { { "static-ip",
              "network adapter \"?[31määäääääääääääääääääääääääääää"
              "\": 10.0.0.5 (" } } },
    };

    (void)state;
    check_rule_cases(&guest, check_network_rules, cases,
                     sizeof cases / sizeof *cases);
}

static void
test_real(void **state)
{
    static const struct real_case cases[] = {
        { "win10-1709-clean", "" },
        { "win81-dirty-nologs", "" },
        { "win7-x64", "static-ip " },
        { "win7-x86", "static-ip static-ip " },
    };

    (void)state;
    check_real_hives(check_network_rules, cases, sizeof cases / sizeof *cases);
}

static int
start_all(void **state)
{
    return start_with_scene(state, &guest);
}

static int
stop(void **state)
{
    scene_done(&guest);
    return remove_top(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_real),
    };

    return cmocka_run_group_tests(tests, start_all, stop);
}
