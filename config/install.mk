# make install, make uninstall: as a Debian package would lay it out. Configuration that is there already stays.
BINDIR = $(PREFIX)/bin
SHAREDIR = $(PREFIX)/share/foyer
ETCDIR = /etc/foyer
UNITDIR = $(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)/systemd/system
SYSUSERSDIR = /usr/lib/sysusers.d
TMPFILESDIR = /usr/lib/tmpfiles.d
RULESDIR = /usr/lib/udev/rules.d
MODULESDIR = /usr/lib/modules-load.d
COMPLETIONDIR = $(PREFIX)/share/bash-completion/completions
UNITS = $(notdir $(wildcard systemd/*.service systemd/*.timer))
EXAMPLES = $(notdir $(wildcard config/*.conf))
BROKER = $(notdir $(wildcard config/mosquitto/*))
WEBFILES = $(shell cd web && find templates static strings openapi.json -type f)

install: all
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(SHAREDIR)/web/javascript $(SHAREDIR)/config/mosquitto $(ETCDIR) \
		$(UNITDIR) $(SYSUSERSDIR) $(TMPFILESDIR) $(RULESDIR) $(MODULESDIR) $(COMPLETIONDIR))
	for daemon in $(DAEMONS); do \
		install -s -m 755 $(BUILD)/$$daemon $(DESTDIR)$(BINDIR)/foyer-$$daemon || exit 1; \
		install -m 644 config/completion/foyer.bash $(DESTDIR)$(COMPLETIONDIR)/foyer-$$daemon || exit 1; \
	done
	install -s -m 755 $(BUILD)/foyerctl $(DESTDIR)$(BINDIR)/foyerctl
	install -m 644 config/completion/foyer.bash $(DESTDIR)$(COMPLETIONDIR)/foyerctl
	for file in $(WEBFILES); do \
		install -D -m 644 web/$$file $(DESTDIR)$(SHAREDIR)/web/$$file || exit 1; \
		case $$file in *.css|*.js|*.svg) gzip -9nkf $(DESTDIR)$(SHAREDIR)/web/$$file;; esac; \
	done
	ln -sfn $(JAVASCRIPT)/chart.js/chart.min.js $(DESTDIR)$(SHAREDIR)/web/javascript/chart.min.js
	for file in $(EXAMPLES); do \
		install -m 644 config/$$file $(DESTDIR)$(SHAREDIR)/config/$$file || exit 1; \
		[ -e $(DESTDIR)$(ETCDIR)/$$file ] || install -m 640 config/$$file $(DESTDIR)$(ETCDIR)/$$file || exit 1; \
	done
	for file in $(BROKER); do install -m 644 config/mosquitto/$$file $(DESTDIR)$(SHAREDIR)/config/mosquitto/$$file || exit 1; done
	for unit in $(UNITS); do \
		sed 's|@BINDIR@|$(BINDIR)|g; s|@SHAREDIR@|$(SHAREDIR)|g' systemd/$$unit > $(DESTDIR)$(UNITDIR)/$$unit || exit 1; \
	done
	install -m 644 README.md LICENSE $(DESTDIR)$(SHAREDIR)/
	install -m 644 systemd/foyer.sysusers $(DESTDIR)$(SYSUSERSDIR)/foyer.conf
	install -m 644 systemd/foyer.tmpfiles $(DESTDIR)$(TMPFILESDIR)/foyer.conf
	install -m 644 systemd/foyer.rules $(DESTDIR)$(RULESDIR)/60-foyer.rules
	install -m 644 systemd/foyer.modules $(DESTDIR)$(MODULESDIR)/foyer.conf
	@[ -n '$(DESTDIR)' ] || echo 'Next: systemd-sysusers; systemd-tmpfiles --create; udevadm trigger; then edit $(ETCDIR)/*.conf (README)'

# Configuration and data are the household's: they stay.
uninstall:
	rm -f $(foreach daemon,$(DAEMONS),$(DESTDIR)$(BINDIR)/foyer-$(daemon) $(DESTDIR)$(COMPLETIONDIR)/foyer-$(daemon))
	rm -f $(DESTDIR)$(BINDIR)/foyerctl $(DESTDIR)$(COMPLETIONDIR)/foyerctl
	rm -rf $(DESTDIR)$(SHAREDIR)
	rm -f $(addprefix $(DESTDIR)$(UNITDIR)/,$(UNITS))
	rm -f $(DESTDIR)$(SYSUSERSDIR)/foyer.conf $(DESTDIR)$(TMPFILESDIR)/foyer.conf
	rm -f $(DESTDIR)$(RULESDIR)/60-foyer.rules $(DESTDIR)$(MODULESDIR)/foyer.conf

.PHONY: install uninstall
