# The folder of cloak in PATH (Environment.idt): when it is written, and taken out again.
INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('RemoveEnvironmentStrings', 3301)
INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('WriteEnvironmentStrings', 5201)
# The key that the first notification writes goes with the program; "-" is a key that is removed, of the person who removes it.
INSERT INTO `Registry` (`Registry`, `Root`, `Key`, `Name`, `Component_`) VALUES ('Notifications', 1, 'Software\Classes\AppUserModelId\org.cloakroom.Cloakroom', '-', 'Window')
# Links that another program opens stay with it. LINKSCOMMAND is what opens them now: 18 is a value of the 64-bit registry.
INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('AppSearch', 50)
INSERT INTO `AppSearch` (`Property`, `Signature_`) VALUES ('LINKSCOMMAND', 'LinksCommand')
INSERT INTO `RegLocator` (`Signature_`, `Root`, `Key`, `Type`) VALUES ('LinksCommand', 2, 'Software\Classes\cloakroom\shell\open\command', 18)
UPDATE `Component` SET `Condition` = 'NOT LINKSCOMMAND OR LINKSCOMMAND >< "\cloakroom.exe"' WHERE `Component` = 'Links'
# So do files that another program opens. INVITATIONS is what stands under their ending now.
INSERT INTO `AppSearch` (`Property`, `Signature_`) VALUES ('INVITATIONS', 'Invitations')
INSERT INTO `RegLocator` (`Signature_`, `Root`, `Key`, `Type`) VALUES ('Invitations', 2, 'Software\Classes\.cloakroom', 18)
UPDATE `Component` SET `Condition` = 'NOT INVITATIONS OR INVITATIONS = "Cloakroom.Invitation"' WHERE `Component` = 'InvitationsEnding'
# In one transaction with the removal of the earlier version: what fails leaves that one.
UPDATE `InstallExecuteSequence` SET `Sequence` = 1501 WHERE `Action` = 'RemoveExistingProducts'
