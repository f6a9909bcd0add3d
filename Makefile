# SPDX-License-Identifier: GPL-2.0-or-later
# For those who type "make install DESTDIR=...": cmake does the work, in
# build/make, without the tests (see HACKING.md).
#   make [prefix=/usr/local]; make install [DESTDIR=]; make uninstall [DESTDIR=]
#   make dist: the source as a tarball, in build/
prefix = /usr/local
build = build/make
export DESTDIR
MAKEFLAGS += --no-print-directory

all:
	cmake -B $(build) -DCMAKE_INSTALL_PREFIX="$(prefix)" -DBUILD_TESTING=OFF
	cmake --build $(build) --parallel "$$(nproc)"

install: all
	cmake --install $(build)

uninstall:
	cmake --build $(build) --target uninstall

dist:
	scripts/dist.sh build

clean:
	rm -rf $(build)

.PHONY: all install uninstall dist clean
