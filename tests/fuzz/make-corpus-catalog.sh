#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes tests/fuzz/corpus-catalog/: catalogs in the shape of real ones, signed
# with keys that are thrown away.  Run it by hand after a change; the results
# are kept, since tests/unit/test-catalog.c reads them.
#
# A catalog is what "openssl cms" makes of the trust list's content octets,
# with the list itself (a SEQUENCE, tag 30) in place of an OCTET STRING (04).
set -euo pipefail

out=$(cd "$(dirname "$0")" && pwd)/corpus-catalog
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

ms='/O=Microsoft Corporation'
whql=1.3.6.1.4.1.311.10.3.5
attestation=$whql.1

key() { # NAME
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
}

root() { # NAME SUBJECT [EKU]: self-signed
    key "$1"
    openssl req -x509 -new -key "$1.key" -subj "$2" -days 7300 -out "$1.pem" \
        ${3:+-addext "extendedKeyUsage=$3"}
}

# Without key identifiers, so that only a signature tells a forged issuer.
cert() { # NAME SUBJECT ISSUER-NAME [EKU]
    [ -e "$1.key" ] || key "$1"
    openssl req -new -key "$1.key" -subj "$2" |
        openssl x509 -req -CA "$3.pem" -CAkey "$3.key" -CAcreateserial \
            -days 7300 -out "$1.pem" \
            -extfile <(printf '%s\n' authorityKeyIdentifier=none \
                ${4:+"extendedKeyUsage=$4"}) 2>/dev/null
}

# A trust list's octets: catalog-list usage, an identifier, a date, SHA-256.
list() {
    printf '300c060a2b060104018237 0c0101 0410000102030405060708090a0b0c0d0e0f
        170d3234303130313030303030305a
        300e060a2b060104018237 0c0103 0500' | tr -dc '0-9a-f' | xxd -r -p
}

catalog() { # FILE SIGNER [ISSUER]
    list | openssl cms -sign -binary -nodetach -md sha256 -outform DER \
        -nosmimecap -econtent_type 1.3.6.1.4.1.311.10.1 \
        -signer "$2.pem" -inkey "$2.key" ${3:+-certfile "$3.pem"} \
        ${noattr:+-noattr} | xxd -p | tr -d '\n' |
        sed 's/\(06092b0601040182370a01a0..\)04/\130/' | xxd -r -p >"$out/$1"
}

root ms-root "$ms/CN=Test Root"
cert ms-ca "$ms/CN=Test CA" ms-root
cert attested "$ms/CN=Test Publisher" ms-ca "codeSigning,$whql,$attestation"
cert labs "$ms/CN=Test Laboratory" ms-ca "codeSigning,$whql"
catalog attestation.cat attested ms-ca
catalog whql.cat labs ms-ca

# names that say Microsoft, and nobody who vouches for them
root alone "$ms/CN=Test Alone" "codeSigning,$whql"
catalog self-signed.cat alone

# another vendor whose root Microsoft has cross-signed
root other-root '/O=Other/CN=Other Root'
cert vendor '/O=Vendor, Inc./CN=Vendor, Inc.' other-root codeSigning
cert other-root '/O=Other/CN=Other Root' ms-root
catalog cross-signed.cat vendor other-root

# the certificate beside it has the issuer's name, and another key
mkdir forged
(cd forged && openssl ecparam -name prime256v1 -genkey -noout -out ca.key &&
    openssl req -x509 -new -key ca.key -subj "$ms/CN=Test CA" -days 7300 -out ca.pem)
catalog forged-issuer.cat attested forged/ca

root nameless '/O=Vendor, Inc./OU=Drivers'
catalog no-common-name.cat nameless

noattr=1
catalog no-attributes.cat attested ms-ca
noattr=

list | openssl cms -sign -binary -nodetach -md sha256 -outform DER \
    -signer attested.pem -inkey attested.key >"$out/not-a-list.p7"
