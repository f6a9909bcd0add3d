#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes tests/fuzz/corpus-catalog/ and corpus-pe/: catalogs and images in the
# shape of real ones, signed with keys that are thrown away.  Run it by hand
# after a change; the results are kept, since tests/unit/test-catalog*.c and
# test-pe.c read them.  Needs openssl, python3, osslsigncode.
#
# A catalog is what "openssl cms" makes of the trust list's content octets,
# with the list itself (a SEQUENCE, tag 30) in place of an OCTET STRING (04)
# and version 1 in place of 3; or, with entries, what fixtures/mkcat makes.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=$here/corpus-catalog pe=$here/corpus-pe fixtures=$here/../../fixtures
mkdir -p "$out" "$pe"
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
cert() { # NAME SUBJECT ISSUER-NAME [EKU|CA]
    local extension=${4:+"extendedKeyUsage=$4"}
    [ "${4-}" != CA ] || extension='basicConstraints=critical,CA:TRUE'
    [ -e "$1.key" ] || key "$1"
    openssl req -new -key "$1.key" -subj "$2" |
        openssl x509 -req -CA "$3.pem" -CAkey "$3.key" -CAcreateserial \
            -days 7300 -out "$1.pem" \
            -extfile <(printf '%s\n' authorityKeyIdentifier=none \
                ${extension:+"$extension"}) 2>/dev/null
}

# The public key, for the table of anchors that the test uses.
anchor() { # NAME
    openssl pkey -in "$1.key" -pubout -outform DER -out "$out/$1.key.der"
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
        sed -e 's/\(06092b0601040182370a01a0..\)04/\130/' \
            -e 's/020103/020101/' | xxd -r -p >"$out/$1"
}

root ms-root "$ms/CN=Test Root"
anchor ms-root
cert ms-ca "$ms/CN=Test CA" ms-root CA
cert attested "$ms/CN=Test Publisher" ms-ca "codeSigning,$whql,$attestation"
cert labs "$ms/CN=Test Laboratory" ms-ca "codeSigning,$whql"
cert own "$ms/CN=Test Product" ms-ca codeSigning
cert server "$ms/CN=Test Web Server" ms-ca serverAuth
catalog attestation.cat attested ms-ca
catalog whql.cat labs ms-ca
catalog microsoft.cat own ms-ca
catalog no-code-signing.cat server ms-ca

# the root's certificate itself is not an intermediate one; who was issued a
# certificate is no authority for that
cert child "$ms/CN=Test Child" attested "codeSigning,$whql"
cat attested.pem ms-ca.pem >child-chain.pem
catalog no-authority.cat child child-chain

# a root of the right name, and its own
mkdir other
(cd other && root ms-root "$ms/CN=Test Root" && cert ms-ca "$ms/CN=Test CA" ms-root CA &&
    cert attested "$ms/CN=Test Publisher" ms-ca "codeSigning,$whql,$attestation")
catalog other-root.cat other/attested other/ms-ca

# names that say Microsoft, and nobody who vouches for them
root alone "$ms/CN=Test Alone" "codeSigning,$whql"
catalog self-signed.cat alone

# another vendor whose root Microsoft has cross-signed
root verification "$ms/CN=Test Verification Root"
anchor verification
root other-root '/O=Other/CN=Other Root'
openssl x509 -in other-root.pem -outform DER -out "$out/vendor-root.cer"
cert vendor '/O=Vendor, Inc./CN=Vendor, Inc.' other-root codeSigning
cert other-root '/O=Other/CN=Other Root' verification CA
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

# entries: a PE image and a text, in the form since Windows 8 and the older one
"$fixtures/mkpe" amd64 "$pe/amd64.sys" test.sys
"$fixtures/mkpe" x86 "$pe/x86.sys" test.sys
# shellcheck disable=SC2016 # a $ of the INF
# shellcheck disable=SC2016 # the dollars are the INF's
printf '[Version]\r\nSignature="$Windows NT$"\r\n' >test.inf
cp "$pe/amd64.sys" test.sys
"$fixtures/mkcat" -k keys -o "$out/entries.cat" test.inf test.sys
"$fixtures/mkcat" -7 -k keys -o "$out/entries-7.cat" test.inf test.sys

# embedded signatures; a file whose length is no multiple of 8
sign() { # HASH IN OUT
    rm -f "$3"
    osslsigncode sign -certs keys/test-signer.pem -key keys/test-signer.key \
        -h "$1" -in "$2" -out "$3" >/dev/null
}
sign sha256 "$pe/amd64.sys" "$pe/signed-amd64.sys"
sign sha1 "$pe/x86.sys" "$pe/signed-x86.sys"
{ cat "$pe/x86.sys"; printf 'more'; } >"$pe/longer.sys"
sign sha256 "$pe/longer.sys" "$pe/signed-longer.sys"
