// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {IAdvisorySets} from "../interfaces/IAdvisorySets.sol";
import {AppSettings} from "../interfaces/IApp.sol";
import {IAppRegistry} from "../interfaces/IAppRegistry.sol";
import {IEndorsements} from "../interfaces/IEndorsements.sol";
import {App} from "./App.sol";

/// @title AppRegistry
contract AppRegistry is IAppRegistry {
    /// @dev ERC-1167 code (45) and the immutable arguments: owner, guardian, keccak256(settings digest ‖ salt).
    uint256 private constant CLONE_LENGTH = 45 + 20 + 20 + 32;

    /// @inheritdoc IAppRegistry
    address public immutable implementation;

    constructor(IAdvisorySets advisorySets, IEndorsements endorsements) {
        implementation = address(new App(advisorySets, endorsements));
    }

    /// @inheritdoc IAppRegistry
    function createApp(
        address owner,
        address guardian,
        AppSettings calldata settings,
        bytes32 salt
    ) external returns (address app) {
        require(owner != address(0), ZeroOwner());
        bytes32 digest = keccak256(abi.encode(settings));
        app = Clones.cloneDeterministicWithImmutableArgs(
            implementation,
            _arguments(owner, guardian, digest, salt),
            0
        );
        emit AppCreated(app, owner, guardian, digest, salt, msg.sender);
        App(app).initialize(settings);
    }

    /// @inheritdoc IAppRegistry
    function predictApp(
        address owner,
        address guardian,
        bytes32 settingsDigest,
        bytes32 salt
    ) external view returns (address) {
        return
            Clones.predictDeterministicAddressWithImmutableArgs(
                implementation,
                _arguments(owner, guardian, settingsDigest, salt),
                0
            );
    }

    /// @inheritdoc IAppRegistry
    /// @dev No list is stored: an app's own code says with which arguments it was made, and only this registry can have
    /// made a contract at the address that follows from them.
    function isApp(address app) external view returns (bool) {
        if (app.code.length != CLONE_LENGTH) return false;
        return
            Clones.predictDeterministicAddressWithImmutableArgs(
                implementation,
                Clones.fetchCloneArgs(app),
                0
            ) == app;
    }

    /// @dev Settings and salt go in as one digest, so that the CREATE2 salt can be constant: 32 bytes of code less.
    function _arguments(
        address owner,
        address guardian,
        bytes32 settingsDigest,
        bytes32 salt
    ) private pure returns (bytes memory) {
        return abi.encodePacked(owner, guardian, keccak256(abi.encode(settingsDigest, salt)));
    }
}
