/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inf-parser/install.h"

#define VERSION "[Version]\nSignature=\"$Windows NT$\"\n"

static const struct inf_target amd64 = { INF_ARCH_AMD64, 10, 0, 26100, 1, 0 };
static const struct inf_target x86 = { INF_ARCH_X86, 10, 0, 19045, 1, 0 };

static struct inf_file *
parse(const char *text)
{
    struct inf_file *inf = NULL;
    struct v2v_error err = { 0 };

    if (inf_parse(text, strlen(text), &inf, &err) < 0)
        fail_msg("%s", err.text);
    return inf;
}

static void
load(const struct inf_file *inf, const char *name,
     const struct inf_target *target, struct inf_install *ret)
{
    struct v2v_error err = { 0 };

    if (inf_install_load(inf, name, target, ret, &err) < 0)
        fail_msg("%s", err.text);
}

#define SERVICE(name) "AddService=" name ",2,svc\n"
#define SVC "[svc]\nServiceType=1\nStartType=3\nErrorControl=1\n"

static void
test_which_section(void **state)
{
    static const char text[] =
        VERSION "[I1]\n[I1.NT]\n[I1.NTamd64]\n[I1.Services]\n" SERVICE(
            "bad") "[I1.NTamd64.Services]\n" SERVICE("good") "[I3]\n[I3.NT]\n["
                                                             "I3.NT.Services]"
                                                             "\n" SERVICE("nt")
                                                                 SVC
        "[I4]\n[I4.services]\n" SERVICE("plain") "[I5.NTx86]\n";
    static const struct {
        const char *name;
        const struct inf_target *target;
        const char *actual, *service;
    } cases[] = {
        { "I1", &amd64, "I1.NTamd64", "good" }, { "I1", &x86, "I1.NT", NULL },
        { "i3", &amd64, "I3.NT", "nt" },        { "I4", &amd64, "I4", "plain" },
        { "I5", &x86, "I5.NTx86", NULL },
    };
    V2V_AUTO(inf) struct inf_file *inf = parse(text);
    struct inf_install none = { .actual = "untouched" };
    struct v2v_error err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(inf_install) struct inf_install in = { 0 };

        load(inf, cases[i].name, cases[i].target, &in);
        assert_string_equal(in.actual, cases[i].actual);
        assert_int_equal(in.services.count, cases[i].service != NULL);
        if (cases[i].service != NULL)
            assert_string_equal(in.services.items[0].name, cases[i].service);
    }
    assert_int_equal(inf_install_load(inf, "I5", &amd64, &none, &err), -1);
    assert_int_equal(err.code, V2V_ERR_NOT_FOUND);
    assert_string_equal(err.text, "no install section [I5]");
    assert_string_equal(none.actual, "untouched");
}

static void
test_copy_files(void **state)
{
    static const char text[] =
        VERSION "[I]\nCopyFiles=L1, @direct.sys ,L2,Gone\nCopyFiles=L3\n"
                "[I.CoInstallers]\nCopyFiles=Co\n"
                "[L1]\na.sys,,,2\nnew.sys,OLD.SYS,,0x4002\n"
                "[L2]\nb.dll,,,COPYFLG_NODECOMP\nunlisted.sys\n"
                "[L3]\nc.sys\n"
                "[Co]\nco.dll\n"
                "[DestinationDirs]\nDefaultDestDir=11,/x\\y/\nL1=12\nl3=13\n"
                "Co=-1,C:\\z\n"
                "[SourceDisksNames]\n1=\"d\",,,\\root\n2=d,two.cab\n"
                "[SourceDisksNames.amd64]\n0x1=\"d\",,,\"amd64\\\"\n"
                "[SourceDisksFiles]\na.sys=1,sub\\deep\nold.sys=1,,\n"
                "b.dll=2\nc.sys=3\ndirect.sys=01,.\\\\s\nco.dll=2\n"
                "[SourceDisksFiles.amd64]\nc.sys=1\n";
    static const struct {
        const char *dest, *source, *path;
        int dirid;
        const char *subdir;
        uint32_t flags;
        bool listed;
        const char *cabinet;
    } want[] = {
        { "a.sys", "a.sys", "amd64/sub/deep/a.sys", 12, "", 2, true, "" },
        { "new.sys", "OLD.SYS", "amd64/OLD.SYS", 12, "", 0x4002, true, "" },
        { "direct.sys", "direct.sys", "amd64/s/direct.sys", 11, "x\\y", 0, true,
          "" },
        { "b.dll", "b.dll", "b.dll", 11, "x\\y", 0, true, "two.cab" },
        { "unlisted.sys", "unlisted.sys", "unlisted.sys", 11, "x\\y", 0, false,
          "" },
        { "c.sys", "c.sys", "amd64/c.sys", 13, "", 0, true, "" },
    };
    V2V_AUTO(inf) struct inf_file *inf = parse(text);
    V2V_AUTO(inf_install) struct inf_install in = { 0 };
    V2V_AUTO(inf_install) struct inf_install other = { 0 };

    (void)state;
    load(inf, "I", &amd64, &in);
    assert_int_equal(in.copies.count, sizeof want / sizeof *want);
    for (size_t i = 0; i < in.copies.count; i++) {
        const struct inf_copy *c = &in.copies.items[i];

        assert_string_equal(c->dest, want[i].dest);
        assert_string_equal(c->source, want[i].source);
        assert_string_equal(c->source_path, want[i].path);
        assert_int_equal(c->dirid, want[i].dirid);
        assert_string_equal(c->subdir, want[i].subdir);
        assert_int_equal(c->flags, want[i].flags);
        assert_int_equal(c->listed, want[i].listed);
        assert_string_equal(c->cabinet, want[i].cabinet);
    }
    assert_int_equal(in.coinstaller_copies.count, 1);
    assert_int_equal(in.coinstaller_copies.items[0].dirid, INF_DIRID_ABSOLUTE);
    assert_string_equal(in.coinstaller_copies.items[0].subdir, "C:\\z");
    assert_int_equal(in.warnings.count, 2);
    assert_string_equal(in.warnings.items[0],
                        "flags \"COPYFLG_NODECOMP\" are not a number, read as "
                        "0");
    assert_string_equal(in.warnings.items[1], "no section [Gone]");
    load(inf, "I", &x86, &other);
    assert_string_equal(other.copies.items[0].source_path,
                        "root/sub/deep/a.sys");
}

static void
test_bad_installs(void **state)
{
    static const struct {
        const char *body, *message;
    } cases[] = {
        { "[I]\nCopyFiles=@..\\x.sys\n",
          "[I]: CopyFiles: \"..\\x.sys\" from \"..\\x.sys\" is not a file "
          "name" },
        { "[I]\nCopyFiles=L\n[L]\n..\n",
          "[I]: [L]: CopyFiles: \"..\" from \"..\" is not a file name" },
        { "[I]\nCopyFiles=L\n[L]\nx,a/b\n",
          "[I]: [L]: CopyFiles: \"x\" from \"a/b\" is not a file name" },
        { "[I]\nCopyFiles=@x\n[SourceDisksFiles]\nx=1,a\\..\\..\\b\n",
          "[I]: source of x: path \"..\\..\\b\" leaves its folder" },
        { "[I]\nCopyFiles=@x\n[SourceDisksFiles]\nx=1\n[SourceDisksNames]\n"
          "1=,,,C:\\\n",
          "[I]: source of x: path \"C:\" leaves its folder" },
        { "[I]\nCopyFiles=@x\n[DestinationDirs]\nDefaultDestDir=12,..\\y\n",
          "[I]: [DestinationDirs] DefaultDestDir: path \"..\\y\" leaves its "
          "folder" },
        { "[I]\nCopyFiles=@x\n[DestinationDirs]\nDefaultDestDir=%12%\n",
          "[I]: [DestinationDirs] DefaultDestDir: \"%12%\" is not a number" },
        { "[I]\n[I.Services]\nAddService=a,2,S\n",
          "[I.Services]: AddService a: no section [S]" },
        { "[I]\n[I.Services]\nAddService=a\\b,2,S\n",
          "[I.Services]: AddService: \"a\\b\" is not a service name" },
        { "[I]\n[I.Services]\nAddService=a,2,S\n[S]\nServiceType=1\n"
          "ErrorControl=1\n",
          "[I.Services]: AddService a: [S]: no StartType" },
        { "[I]\n[I.Services]\nAddService=a,2,S\n[S]\nServiceType=x\n",
          "[I.Services]: AddService a: [S]: ServiceType: \"x\" is not a "
          "number" },
        { "[I]\n[I.Services]\nAddService=a,2,S\n[S]\nStartType=\n",
          "[I.Services]: AddService a: [S]: StartType: no value" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem)
        char *text = v2v_format(NULL, "%s%s", VERSION, cases[i].body);
        V2V_AUTO(inf) struct inf_file *inf = parse(text);
        struct inf_install in = { .actual = "untouched" };
        struct v2v_error err = { 0 };

        assert_int_equal(inf_install_load(inf, "I", &amd64, &in, &err), -1);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(err.code, V2V_ERR_FORMAT);
        assert_string_equal(in.actual, "untouched");
    }
}

static const char *
directory(void *opaque, int id)
{
    (void)opaque;
    return id == 13 ? "%SystemRoot%\\Store" : NULL;
}

/* The bytes of a value, as hexadecimal text; NULL: refused with @message. */
static void
test_addreg(void **state)
{
    static const struct {
        const char *line, *place; /* root|subkey|name */
        uint32_t type;
        bool key_only;
        const char *hex, *message;
    } cases[] = {
        { "HKR,,A,,x", "HKR||A", 1, false, "78000000", NULL },
        { "hklm,\"a b\\c\",A,0,%s%", "HKLM|a b\\c|A", 1, false,
          "6f006e0065000000", NULL },
        { "HKR,,,,x", "HKR||", 1, false, "78000000", NULL },
        { "HKR,,A", "HKR||A", 1, false, "0000", NULL },
        { "HKR,K", "HKR|K|", 1, true, "0000", NULL },
        { "HKR", "HKR||", 1, true, "0000", NULL },
        { "HKR,K,,0x10", "HKR|K|", 1, true, "0000", NULL },
        { "HKR,K,A,0x10", "HKR|K|A", 1, true, "0000", NULL },
        { "HKR,,A,0x20000,%13%\\x", "HKR||A", 2, false,
          "2500530079007300740065006d0052006f006f00740025005c00530074006f00"
          "720065005c0078000000",
          NULL },
        { "HKR,,A,%REG_EXPAND_SZ%,%%a%%", "HKR||A", 2, false,
          "2500610025000000", NULL },
        { "HKR,,A,0x10000,a,b,,c", "HKR||A", 7, false,
          "6100000062000000"
          "0000",
          NULL },
        { "HKR,,A,0x10000,a,b", "HKR||A", 7, false, "61000000620000000000",
          NULL },
        { "HKR,,A,0x10000", "HKR||A", 7, false, "0000", NULL },
        { "HKR,,A,0x10008,a", "HKR||A", 7, false, "610000000000", NULL },
        { "HKR,,A,0x10001,7", "HKR||A", 4, false, "07000000", NULL },
        { "HKR,,A,0x10001,0x1234,", "HKR||A", 4, false, "34120000", NULL },
        { "HKR,,A,0x10003,-1", "HKR||A", 4, false, "ffffffff", NULL },
        { "HKR,,A,65537,010", "HKR||A", 4, false, "0a000000", NULL },
        { "HKR,,A,0x10001,0x64,0,00,0x01", "HKR||A", 4, false, "64000001",
          NULL },
        { "HKR,,A,1,1,fF,,0x10", "HKR||A", 3, false, "01ff0010", NULL },
        { "HKR,,A,1", "HKR||A", 3, false, "", NULL },
        { "HKR,,A,0x20001,1", "HKR||A", 0, false, "01", NULL },
        { "HKR,,A,0xB0001,1,2,3,4,5,6,7,8", "HKR||A", 11, false,
          "0102030405060708", NULL },
        { "HKR,,A,0x90001,1", "HKR||A", 9, false, "01", NULL },
        { "HKR,,A,REG_SZ,x", "HKR||A", 1, false, "78000000", NULL },
        { "HKR,,A,1,100", "HKR||A", 3, false, NULL,
          "HKR\\, value \"A\": \"100\" is not a byte" },
        { "HKCU,k,A,0x10001,x", "HKCU|k|A", 4, false, NULL,
          "HKCU\\k, value \"A\": \"x\" is not a number" },
    };
    struct inf_dirs dirs = { directory, NULL };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem)
        char *text = v2v_format(NULL,
                                "%s[I]\nAddReg=R\n[R]\n%s\n[Strings]\ns=one\n"
                                "REG_EXPAND_SZ=0x00020000\n",
                                VERSION, cases[i].line);
        V2V_AUTO(inf) struct inf_file *inf = parse(text);
        V2V_AUTO(inf_install) struct inf_install in = { 0 };
        V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
        V2V_AUTO(bytes) struct v2v_bytes hex = { 0 };
        V2V_AUTO(mem) char *place = NULL;
        struct v2v_error err = { 0 };
        const struct inf_addreg *r;

        load(inf, "I", &amd64, &in);
        assert_int_equal(in.addregs.count, 1);
        r = in.addregs.items;
        place = v2v_format(NULL, "%s|%s|%s", r->root, r->subkey, r->name);
        assert_string_equal(place, cases[i].place);
        assert_int_equal(r->type, cases[i].type);
        assert_int_equal(r->key_only, cases[i].key_only);
        if (inf_addreg_data(r, &dirs, &data, &err) < 0) {
            assert_null(cases[i].hex);
            assert_string_equal(err.text, cases[i].message);
            continue;
        }
        for (size_t k = 0; k < data.len; k++)
            assert_int_equal(v2v_bytes_printf(&hex, NULL, "%02x", data.data[k]),
                             0);
        assert_int_equal(v2v_bytes_add(&hex, "", 1, NULL), 0);
        assert_string_equal((char *)hex.data, cases[i].hex);
    }
}

static void
test_registry_lists(void **state)
{
    static const char text[] =
        VERSION "[I]\nAddReg=A,B\nDelReg=D\n[I.HW]\nAddReg=B\n"
                "[A]\nHKX,,x\nHKR,,del,0x8000\nHKR,,a\n[B]\nHKR,,b\n"
                "[D]\nHKR,k\nHKLM,k,v\nHKR,k,,0x2000\n";
    V2V_AUTO(inf) struct inf_file *inf = parse(text);
    V2V_AUTO(inf_install) struct inf_install in = { 0 };

    (void)state;
    load(inf, "I", &amd64, &in);
    assert_int_equal(in.addregs.count, 2);
    assert_string_equal(in.addregs.items[1].name, "b");
    assert_int_equal(in.hw_addregs.count, 1);
    assert_int_equal(in.delregs.count, 3);
    assert_null(in.delregs.items[0].name);
    assert_string_equal(in.delregs.items[1].root, "HKLM");
    assert_string_equal(in.delregs.items[1].name, "v");
    assert_int_equal(in.delregs.items[2].flags, 0x2000);
    assert_int_equal(in.warnings.count, 1);
    assert_string_equal(in.warnings.items[0],
                        "\"HKX\" is not a registry root, line ignored");
}

static void
test_service(void **state)
{
    static const char text[] = VERSION
        "[I]\n[I.Services]\n"
        "AddService = disk, %F% , S, E ;comment\n"
        "AddService = net,,S2,E,Application,Other\n"
        "AddService = ,2\nDelService=old,0x200\n"
        "[S]\nServiceType = %KERNEL% ; one\nStartType=0\nStartType=4\n"
        "ErrorControl=1\nServiceBinary = %13%\\disk.sys\n"
        "LoadOrderGroup = SCSI miniport\nDisplayName=%D%\nDescription=%D%\n"
        "Dependencies = a, +group\nAddReg=R\nDelReg=R\n"
        "[R]\nHKR,\"Parameters\\PnpInterface\",\"5\",0x10001,1\n"
        "[E]\nAddReg=ER\n[ER]\nHKR,,TypesSupported,0x10001,7\n"
        "[S2]\nServiceType=1\nStartType=3\nErrorControl=1\nStartName=n\n"
        "[Strings]\nF=0x2\nKERNEL=1\nD=Disk\n";
    V2V_AUTO(inf) struct inf_file *inf = parse(text);
    V2V_AUTO(inf_install) struct inf_install in = { 0 };
    const struct inf_service *s;

    (void)state;
    load(inf, "I", &amd64, &in);
    assert_int_equal(in.services.count, 3);
    s = in.services.items;
    assert_string_equal(s->name, "disk");
    assert_int_equal(s->flags, INF_SERVICE_ASSOC);
    assert_int_equal(s->type, 1);
    assert_int_equal(s->start, INF_START_BOOT); /* the first one counts */
    assert_int_equal(s->error_control, 1);
    assert_string_equal(s->binary_raw, "%13%\\disk.sys");
    assert_string_equal(s->group, "SCSI miniport");
    assert_string_equal(s->display_name_raw, "%D%");
    assert_string_equal(s->display_name, "Disk");
    assert_string_equal(s->description, "Disk");
    assert_null(s->start_name);
    assert_int_equal(s->dependencies.count, 2);
    assert_string_equal(s->dependencies.items[1], "+group");
    assert_int_equal(s->addregs.count, 1);
    assert_string_equal(s->addregs.items[0].subkey, "Parameters\\PnpInterface");
    assert_int_equal(s->delregs.count, 1);
    assert_string_equal(s->event_log, "System");
    assert_string_equal(s->event_name, "disk");
    assert_int_equal(s->event_addregs.count, 1);
    s++;
    assert_int_equal(s->flags, 0);
    assert_string_equal(s->binary_raw, "");
    assert_null(s->group);
    assert_string_equal(s->start_name, "n");
    assert_string_equal(s->event_log, "Application");
    assert_string_equal(s->event_name, "Other");
    s++;
    assert_string_equal(s->name, "");
    assert_int_equal(s->flags, 2);
    assert_null(s->event_log);
    assert_int_equal(in.delete_services.count, 1);
    assert_string_equal(in.delete_services.items[0], "old");
}

static void
test_other_parts(void **state)
{
    static const char text[] = VERSION
        "[I.NT]\nFeatureScore=F9\nDriverVer=01/02/2024,1.2\nReboot\n"
        "ExcludeID=A\\B,C\nCopyINF=other.inf\nInclude=machine.inf\n"
        "Needs=Local, FOREIGN.NT\nAddReg=Own\n"
        "[Local]\nAddReg=Elsewhere\n[Local.NTamd64]\nAddReg=Needed\n"
        "[Own]\nHKR,,own\n[Needed]\nHKR,,needed\n[Elsewhere]\nHKR,,no\n"
        "[I.NT.Wdf]\nKmdfService=d,W\nUmdfService=u,WU\n"
        "[W]\nKmdfLibraryVersion=1.15\n[WU]\nUmdfLibraryVersion=2.0\n"
        "[I.NT.Interfaces]\nAddInterface={g},ref,IF,1\n"
        "[IF]\nAddReg=Own\nCopyFiles=@if.dll\n"
        "[I.NT.Filters]\nAddFilter=flt,,FL\n[FL]\nFilterPosition=Upper\n"
        "[J]\nFeatureScore=100\nAddReg=Own\n[J.Services]\nInclude=x.inf\n"
        "AddService=modem,2,In_x\n"
        "[K]\nInclude=y.inf\nNeeds=K\nFeatureScore=0x80\n";
    V2V_AUTO(inf) struct inf_file *inf = parse(text);
    V2V_AUTO(inf_install) struct inf_install in = { 0 };
    V2V_AUTO(inf_install) struct inf_install j = { 0 };
    V2V_AUTO(inf_install) struct inf_install k = { 0 };

    (void)state;
    load(inf, "I", &amd64, &in);
    assert_int_equal(in.feature_score, 0xf9);
    assert_true(in.has_driver_ver);
    assert_int_equal(in.driver_ver.version[1], 2);
    assert_true(in.reboot);
    assert_int_equal(in.exclude_ids.count, 2);
    assert_string_equal(in.copy_infs.items[0], "other.inf");
    assert_string_equal(in.includes.items[0], "machine.inf");
    assert_int_equal(in.foreign_needs.count, 1);
    assert_string_equal(in.foreign_needs.items[0], "FOREIGN.NT");
    assert_int_equal(in.addregs.count, 2);
    assert_string_equal(in.addregs.items[0].name, "needed");
    assert_string_equal(in.addregs.items[1].name, "own");
    assert_true(in.has_wdf_section);
    assert_string_equal(in.wdfs.items[0].kmdf_version, "1.15");
    assert_null(in.wdfs.items[0].umdf_version);
    assert_string_equal(in.wdfs.items[1].umdf_version, "2.0");
    assert_string_equal(in.interfaces.items[0].guid, "{g}");
    assert_string_equal(in.interfaces.items[0].reference, "ref");
    assert_int_equal(in.interfaces.items[0].addregs.count, 1);
    assert_string_equal(in.interface_copies.items[0].dest, "if.dll");
    assert_string_equal(in.filters.items[0].position, "Upper");
    load(inf, "J", &amd64, &j);
    assert_int_equal(j.feature_score, 0xff);
    assert_false(j.has_wdf_section);
    assert_true(j.services.items[0].foreign);
    assert_string_equal(j.warnings.items[0],
                        "FeatureScore \"100\" is not a byte");
    load(inf, "K", &amd64, &k); /* needs itself: that of y.inf */
    assert_string_equal(k.foreign_needs.items[0], "K");
    assert_int_equal(k.feature_score, 0x80);
}

static void
test_package_files(void **state)
{
    static const char text[] = VERSION
        "[Manufacturer]\nA=M,NTamd64.6.1,NTamd64.10.0,NTx86\nB=Old\n"
        "[M.NTamd64.6.1]\nx=Seven,A\\B\n[M.NTamd64.10.0]\nx=Ten,A\\B\n"
        "y=Absent,A\\C\nz=Ten,A\\D\n[M.NTx86]\nx=Six,A\\B\n"
        "[Old]\nx=Bare,A\\B\n"
        "[Seven]\nCopyFiles=Files\n[Seven.CoInstallers]\nCopyFiles=@co.dll\n"
        "[Ten]\nCopyFiles=Files,Gone\n[Ten.NTamd64]\nCopyFiles=Files,More\n"
        "[Ten.NTamd64.Interfaces]\nAddInterface={g},,If\n[If]\n"
        "CopyFiles=@if.dll\n"
        "[Six]\nCopyFiles=@six.sys\n[Bare]\nCopyFiles=@bare.sys\n"
        "[DefaultInstall.NTamd64]\nCopyFiles=@default.dll\n"
        "[ClassInstall32]\nCopyFiles=@class.dll\n"
        "[Files]\na.sys\n[More]\nA.SYS\nb.sys,real.sys\n"
        "[SourceDisksNames]\n1=d,,,p\n[SourceDisksFiles]\nreal.sys=1,q\n";
    static const struct {
        enum inf_arch arch;
        const char *files;
    } cases[] = {
        { INF_ARCH_AMD64,
          "a.sys co.dll p/q/real.sys if.dll default.dll class.dll " },
        { INF_ARCH_X86, "six.sys bare.sys class.dll " },
        { INF_ARCH_ARM64, "class.dll " },
    };
    V2V_AUTO(inf) struct inf_file *inf = parse(text);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(strings) struct v2v_strings files = { 0 };
        V2V_AUTO(bytes) struct v2v_bytes all = { 0 };

        assert_int_equal(inf_package_files(inf, cases[i].arch, &files, NULL),
                         0);
        for (size_t k = 0; k < files.count; k++)
            assert_int_equal(
                v2v_bytes_printf(&all, NULL, "%s ", files.items[k]), 0);
        assert_int_equal(v2v_bytes_add(&all, "", 1, NULL), 0);
        assert_string_equal((char *)all.data, cases[i].files);
    }
}

static void
test_files_of_windows_are_not_the_package_s(void **state)
{
    V2V_AUTO(inf)
    struct inf_file *inf =
        parse("[Version]\nSignature=$Chicago$\nLayoutFile=layout.inf\n"
              "[DefaultInstall]\nCopyFiles=@own.sys,@inbox.sys\n"
              "[SourceDisksFiles]\nown.sys=1\n");
    V2V_AUTO(strings) struct v2v_strings files = { 0 };

    (void)state;
    assert_int_equal(inf_package_files(inf, INF_ARCH_AMD64, &files, NULL), 0);
    assert_int_equal(files.count, 1);
    assert_string_equal(files.items[0], "own.sys");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_section),
        cmocka_unit_test(test_copy_files),
        cmocka_unit_test(test_bad_installs),
        cmocka_unit_test(test_addreg),
        cmocka_unit_test(test_registry_lists),
        cmocka_unit_test(test_service),
        cmocka_unit_test(test_other_parts),
        cmocka_unit_test(test_package_files),
        cmocka_unit_test(test_files_of_windows_are_not_the_package_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
