/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot and filter drivers of well-known antivirus, disk encryption and backup
 * products.  They load before or beside the disk's driver, and some refuse a
 * machine that has changed, or decrypt only through the controller they know.
 *
 * The names are those that the products' own documents, removal tools and
 * lists of file system minifilters (Microsoft, "Allocated filter altitudes")
 * have.  Windows' own (WdFilter, WdBoot, fvevol) are none.  Only what starts at
 * boot counts: VeraCrypt's driver starts later where it encrypts no system
 * disk, and what is disabled does no harm. */
#include <string.h>

#include "check/internal.h"

#define ENCRYPTION "disk-encryption"
#define ANTIVIRUS "antivirus-driver"
#define BACKUP "backup-filter"

/* A product's rows stand together. */
static const struct product {
    const char *service;
    const char *product;
    const char *code;
} products[] = {
    /* disk encryption */
    { "veracrypt", "VeraCrypt", ENCRYPTION },
    { "truecrypt", "TrueCrypt", ENCRYPTION },
    { "dcrypt", "DiskCryptor", ENCRYPTION },
    { "PGPwded", "Symantec (PGP) Drive Encryption", ENCRYPTION },
    { "MfeEpePc", "McAfee (Trellix) Drive Encryption", ENCRYPTION },
    { "SafeBoot", "McAfee Endpoint Encryption (SafeBoot)", ENCRYPTION },
    { "prot_2k", "Check Point Full Disk Encryption", ENCRYPTION },
    /* antivirus and endpoint protection */
    { "SymEFASI", "Symantec Endpoint Protection", ANTIVIRUS },
    { "SymEFA", "Symantec Endpoint Protection", ANTIVIRUS },
    { "SymELAM", "Symantec Endpoint Protection", ANTIVIRUS },
    { "BHDrvx64", "Symantec Endpoint Protection", ANTIVIRUS },
    { "SRTSP", "Symantec Endpoint Protection", ANTIVIRUS },
    { "mfehidk", "McAfee (Trellix) Endpoint Security", ANTIVIRUS },
    { "mfewfpk", "McAfee (Trellix) Endpoint Security", ANTIVIRUS },
    { "mfeelamk", "McAfee (Trellix) Endpoint Security", ANTIVIRUS },
    { "klif", "Kaspersky", ANTIVIRUS },
    { "klelam", "Kaspersky", ANTIVIRUS },
    { "klbackupdisk", "Kaspersky", ANTIVIRUS },
    { "klbackupflt", "Kaspersky", ANTIVIRUS },
    { "kldisk", "Kaspersky", ANTIVIRUS },
    { "klhk", "Kaspersky", ANTIVIRUS },
    { "cm_km", "Kaspersky", ANTIVIRUS },
    { "eamonm", "ESET", ANTIVIRUS },
    { "ehdrv", "ESET", ANTIVIRUS },
    { "edevmon", "ESET", ANTIVIRUS },
    { "eelam", "ESET", ANTIVIRUS },
    { "SophosED", "Sophos Endpoint Defense", ANTIVIRUS },
    { "SophosEL", "Sophos Endpoint Defense", ANTIVIRUS },
    { "SophosBootDriver", "Sophos Anti-Virus", ANTIVIRUS },
    { "SAVOnAccess", "Sophos Anti-Virus", ANTIVIRUS },
    { "hmpalert", "Sophos Intercept X", ANTIVIRUS },
    { "tmcomm", "Trend Micro", ANTIVIRUS },
    { "tmevtmgr", "Trend Micro", ANTIVIRUS },
    { "TMEBC", "Trend Micro", ANTIVIRUS },
    { "TmPreFilter", "Trend Micro", ANTIVIRUS },
    { "tmel", "Trend Micro", ANTIVIRUS },
    { "CSAgent", "CrowdStrike Falcon", ANTIVIRUS },
    { "CSBoot", "CrowdStrike Falcon", ANTIVIRUS },
    { "CSDeviceControl", "CrowdStrike Falcon", ANTIVIRUS },
    { "SentinelMonitor", "SentinelOne", ANTIVIRUS },
    { "SentinelELAM", "SentinelOne", ANTIVIRUS },
    { "SentinelDeviceControl", "SentinelOne", ANTIVIRUS },
    { "carbonblackk", "VMware Carbon Black", ANTIVIRUS },
    { "CbELAM", "VMware Carbon Black", ANTIVIRUS },
    { "ParityDriver", "VMware Carbon Black App Control", ANTIVIRUS },
    { "CyProtectDrv", "Cylance", ANTIVIRUS },
    { "CyElamDrv", "Cylance", ANTIVIRUS },
    { "CyvrFsfd", "Palo Alto Cortex XDR", ANTIVIRUS },
    { "trufos", "Bitdefender", ANTIVIRUS },
    { "avc3", "Bitdefender", ANTIVIRUS },
    { "gzflt", "Bitdefender", ANTIVIRUS },
    { "atc", "Bitdefender", ANTIVIRUS },
    { "bdelam", "Bitdefender", ANTIVIRUS },
    { "aswRvrt", "Avast", ANTIVIRUS },
    { "aswVmm", "Avast", ANTIVIRUS },
    { "aswElam", "Avast", ANTIVIRUS },
    { "aswbidsh", "Avast", ANTIVIRUS },
    { "avgRvrt", "AVG", ANTIVIRUS },
    { "avgVmm", "AVG", ANTIVIRUS },
    { "avgElam", "AVG", ANTIVIRUS },
    { "avgntflt", "Avira", ANTIVIRUS },
    { "avelam", "Avira", ANTIVIRUS },
    { "PSINKNC", "Panda Security", ANTIVIRUS },
    { "PSINProc", "Panda Security", ANTIVIRUS },
    { "fsbts", "F-Secure", ANTIVIRUS },
    { "MbamElam", "Malwarebytes", ANTIVIRUS },
    { "mbamchameleon", "Malwarebytes", ANTIVIRUS },
    { "FeKern", "FireEye (Trellix) Endpoint Security", ANTIVIRUS },
    { "FeElam", "FireEye (Trellix) Endpoint Security", ANTIVIRUS },
    /* filters of backup, in the stack of disks and volumes */
    { "snapman", "Acronis", BACKUP },
    { "tdrpman", "Acronis", BACKUP },
    { "timounter", "Acronis", BACKUP },
    { "fltsrv", "Acronis", BACKUP },
    { "file_tracker", "Acronis", BACKUP },
    { "volume_tracker", "Acronis", BACKUP },
    { "stcvsm", "StorageCraft ShadowProtect", BACKUP },
    { "VeeamVolCT", "Veeam change tracking", BACKUP },
    { "symsnap", "Symantec System Recovery", BACKUP },
    { "v2imount", "Symantec System Recovery", BACKUP },
    { "mrcbt", "Macrium Reflect", BACKUP },
};
enum { PRODUCTS = sizeof products / sizeof *products };

/* 1, 0, or -1. */
static int
starts_at_boot(struct check *check, const char *service, struct v2v_error *err)
{
    V2V_AUTO(mem) char *key =
        v2v_format(err, "%s\\Services\\%s", check->control_set, service);
    uint32_t start = 0;
    int has = check_get_dword(check->system, key, "Start", &start, err);

    return has <= 0 ? has : start == 0;
}

/* The rows from @first on that are of one product; the next row in @ret. */
static int
check_product(struct check *check, size_t first, size_t *ret,
              struct v2v_error *err)
{
    const struct product *product = &products[first];
    V2V_AUTO(bytes) struct v2v_bytes names = { 0 };
    size_t i = first;

    for (; i < PRODUCTS && strcmp(products[i].product, product->product) == 0;
         i++) {
        int boots = starts_at_boot(check, products[i].service, err);

        if (boots < 0 || (boots > 0 && v2v_bytes_list(&names, err, "%s",
                                                      products[i].service) < 0))
            return -1;
    }
    *ret = i;
    if (names.len == 0)
        return 0;
    if (v2v_bytes_add(&names, "", 1, err) < 0)
        return -1;
    return check_found(
        check, product->code, err,
        "%s: SYSTEM\\%s\\Services has %s, which start%s at boot",
        product->product, check->control_set, (const char *)names.data,
        strchr((const char *)names.data, ',') != NULL ? "" : "s");
}

static int
check_products(struct check *check, struct v2v_error *err)
{
    for (size_t i = 0; i < PRODUCTS;)
        if (check_product(check, i, &i, err) < 0)
            return -1;
    return 0;
}

const check_rule check_antivirus_rules[] = { check_products, NULL };
