// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IAttestationLedger} from "../interfaces/IAttestationLedger.sol";
import {LiveOnly} from "../lib/LiveOnly.sol";

/// @notice What an instance orders: pay `amount` of `token` (zero: the chain's coin) to `to`.
struct Order {
    address key; //      the instance that orders, and signs
    address token;
    address to;
    uint256 amount; //   in the token's smallest unit
    uint256 nonce; //    of `key`, counting from 0
    uint40 deadline; //  seconds; the last in which it may be executed
}

/// @title LiveSigner: a vault whose funds move only at the order of a live instance of one app
/// @notice The wallet of an AI agent: nobody holds its key but the code that the app's contract allows, on hardware that it
/// allows. An instance's key dies with the instance; the funds do not, any later live instance can order.
/// @dev Whoever governs the app governs this vault, by a release that pays elsewhere: read `IApp.control()` (level, notice,
/// guardian) before funding it. There is no other way out: an app without a live instance leaves the funds here until it
/// has one again.
contract LiveSigner is LiveOnly, EIP712, Nonces {
    using SafeERC20 for IERC20;

    bytes32 private constant ORDER_TYPEHASH = keccak256(
        "Order(address key,address token,address to,uint256 amount,uint256 nonce,uint40 deadline)"
    );

    /// @notice The app whose instances may order. Fixed.
    address public immutable app;

    /// @notice Funds left. @param token zero: the chain's coin.
    event Released(
        address indexed key,
        address indexed token,
        address indexed to,
        uint256 amount,
        uint256 nonce,
        address actor
    );

    error OrderExpired(uint40 deadline, uint256 timestamp);
    error WrongSigner(address expected, address actual);
    error NoReceiver();

    constructor(IAttestationLedger ledger, address app_) LiveOnly(ledger) EIP712("Charter LiveSigner", "1") {
        app = app_;
    }

    /// @notice The vault takes what it is sent.
    receive() external payable {}

    /// @notice Executes an order. Anyone may send it, so that an instance needs no coin of its own for gas.
    /// @param signature the key's EIP-712 signature over Order, domain "Charter LiveSigner" version "1", this chain and
    /// vault; 65 bytes.
    function release(Order calldata order, bytes calldata signature) external {
        require(block.timestamp <= order.deadline, OrderExpired(order.deadline, block.timestamp));
        (address signer, , ) = ECDSA.tryRecover(orderDigest(order), signature);
        require(signer != address(0) && signer == order.key, WrongSigner(order.key, signer));
        _requireLive(app, order.key);
        // Spent before anything is called: a receiver that calls back finds it used.
        _useCheckedNonce(order.key, order.nonce);
        _pay(order.key, order.token, order.to, order.amount, order.nonce);
    }

    /// @notice Pays the calling instance itself, for instance its gas. Takes the key's next nonce.
    function draw(address token, uint256 amount) external onlyLive(app) {
        _pay(msg.sender, token, msg.sender, amount, _useNonce(msg.sender));
    }

    /// @notice EIP-712 digest that the instance's key signs.
    function orderDigest(Order calldata order) public view returns (bytes32) {
        // Every member of Order is a static 32-byte word, so its ABI encoding is EIP-712's encodeData.
        return _hashTypedDataV4(keccak256(abi.encode(ORDER_TYPEHASH, order)));
    }

    function _pay(address key, address token, address to, uint256 amount, uint256 nonce) private {
        require(to != address(0), NoReceiver());
        emit Released(key, token, to, amount, nonce, msg.sender);
        if (token == address(0)) Address.sendValue(payable(to), amount);
        else IERC20(token).safeTransfer(to, amount);
    }
}
